/* Shows the questions of a rule and the number of people as soon as something is chosen or typed. Without this script the
   buttons do the same: each sends the whole form, and so does this. */
"use strict";
(() => {
  const form = document.querySelector("[data-segment]");
  if (!form) return;
  const part = (page, name) => page.querySelector(`[${name}]`);
  let asked = 0;
  let waiting;

  async function send(act, rebuild) {
    const mine = ++asked;
    const data = new FormData(form);
    data.set("act", act);
    const answer = await fetch(location.href, { method: "POST", body: data, credentials: "same-origin", redirect: "error" });
    if (!answer.ok || mine !== asked) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    part(form, "data-found").replaceWith(part(page, "data-found"));
    if (!rebuild) return;
    const focus = document.activeElement && document.activeElement.name;
    part(form, "data-builder").replaceWith(part(page, "data-builder"));
    hide();
    const again = focus && form.elements.namedItem(focus);
    if (again && again.focus) again.focus();
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
    const button = event.target.closest("[data-builder] button[name=act]");
    if (!button) return;
    event.preventDefault();
    send(button.value, true).catch(() => form.requestSubmit(button));
  });
  hide();
  if (form.querySelector("[data-counting]")) send("refresh", false).catch(() => {});
})();
