/* Shows the questions of a rule and the number of people as soon as something is chosen or typed. Without this script the
   buttons do the same: each sends the whole form, and so does this. Only a save that is fine leaves the page, so that Back
   never leads to a form that would have to be sent again. */
"use strict";
(() => {
  const form = document.querySelector("[data-segment]");
  if (!form) return;
  const part = (page, name) => page.querySelector(`[${name}]`);
  let asked = 0;
  let waiting;

  /* Whether the page has nothing against it. */
  async function send(act, rebuild) {
    const mine = ++asked;
    const data = new FormData(form);
    data.set("act", act);
    const answer = await MailinglistSession.send(form, location.href, data);
    if (!answer || !answer.ok) throw new Error(act);
    if (answer.status === 204) return true;
    if (mine !== asked) return false;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    part(form, "data-found").replaceWith(part(page, "data-found"));
    if (!rebuild) return false;
    const focus = document.activeElement && document.activeElement.name;
    part(form, "data-builder").replaceWith(part(page, "data-builder"));
    hide();
    const again = focus && form.elements.namedItem(focus);
    if (again && again.focus) again.focus();
    return false;
  }

  async function press(button) {
    const saves = button.value === "save";
    if (await send(saves ? "check" : button.value, true)) return form.requestSubmit(button);
    const wrong = saves && form.querySelector(".ml-note--danger");
    if (wrong) wrong.scrollIntoView({ block: "center" });
  }

  function hide() {
    form.querySelectorAll("[data-without-script]").forEach((button) => { button.hidden = true; });
  }

  form.addEventListener("change", (event) => {
    clearTimeout(waiting);
    send("refresh", "refresh" in event.target.dataset).catch(() => {});
  });
  form.addEventListener("input", (event) => {
    if (event.target.tagName !== "INPUT" || event.target.name === "name") return;
    clearTimeout(waiting);
    waiting = setTimeout(() => send("refresh", false).catch(() => {}), 600);
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=act]");
    if (!button) return;
    event.preventDefault();
    clearTimeout(waiting);
    press(button).catch(() => form.requestSubmit(button));
  });
  hide();
  if (form.querySelector("[data-counting]")) send("refresh", false).catch(() => {});
})();
