/* What is typed outlives a session that ends. Forms with data-logged-in are sent only while somebody is logged in, and with
   the token that a new login in another window has made; else a sentence says what to do, and the page stays as it is. */
(function () {
  "use strict";

  function place(form) {
    return form.matches("[data-logged-in]") ? form : form.querySelector("[data-logged-in]");
  }

  /* Whether somebody is logged in. The form has a good token then. */
  async function renew(form) {
    const answer = await fetch(place(form).dataset.loggedIn, {headers: {Accept: "application/json"}, redirect: "manual"});
    if (answer.type === "opaqueredirect") { return false; }  /* to the page that asks for the password */
    if (!answer.ok) { throw new Error(answer.status); }
    form.querySelector("[name=csrfmiddlewaretoken]").value = (await answer.json()).token;
    return true;
  }

  /* The answer; null where nobody is logged in. */
  async function send(form, address, body) {
    function once() {
      const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
      if (body && body.has("csrfmiddlewaretoken")) { body.set("csrfmiddlewaretoken", token); }
      const how = body ? {method: "POST", body: body, headers: {"X-CSRFToken": token}} : {};
      return fetch(address, Object.assign(how, {redirect: "manual"}));
    }
    let answer = await once();
    if (answer.type === "opaqueredirect" || answer.status === 403) {
      if (!await renew(form)) { return null; }
      answer = await once();
    }
    forget(form);
    return answer;
  }

  function forget(form) {
    form.querySelectorAll("[data-ended]").forEach(function (says) {
      says.replaceChildren();
      delete says.dataset.ended;
    });
  }

  /* One sentence, whoever found it out last. */
  function ended(says, form) {
    forget(form);
    says.dataset.ended = "";
    const link = document.createElement("a");
    Object.assign(link, {href: place(form).dataset.loggedIn, className: "ml-link", target: "_blank"});
    link.textContent = "Log in again in another window";
    says.replaceChildren("Your session has ended, so nothing is saved now. Do not close this page. ", link,
      ", then come back and go on: what you typed stays here.");
  }

  function guard(form) {
    const says = document.createElement("p");
    says.setAttribute("role", "alert");
    if (place(form) === form) { form.append(says); } else { place(form).after(says); }
    let sure = false, asking = false;

    async function ask(button) {
      try {
        sure = await renew(form);
        if (!sure) { ended(says, form); }
      } catch (unreachable) {
        says.textContent = "The server cannot be reached, so nothing is saved now. Do not close this page; try again.";
      }
      asking = false;
      says.className = sure ? "" : "ml-note ml-note--warning";
      if (!sure) { return says.scrollIntoView({block: "center"}); }
      says.textContent = "";
      form.requestSubmit(button);
    }

    form.addEventListener("submit", function (event) {
      if (sure) { sure = false; return; }
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!asking) { asking = true; ask(event.submitter); }
    }, true);
  }

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-logged-in]").forEach(function (found) { guard(found.closest("form")); });
  });

  window.MailinglistSession = {send: send, ended: ended};
})();
