/* Keeps what is typed into a campaign as a draft on the server, some seconds after the last key. Saving stays a matter of
   the button. */
(function () {
  "use strict";

  const AFTER = 3000;  /* milliseconds without a key */
  const FIELDS = ["name", "subject", "preheader", "body_format", "template", "body", "base"];

  function start(area) {
    const form = area.form;
    const says = document.createElement("p");
    says.className = "ml-kept";
    says.setAttribute("role", "status");
    area.parentNode.append(says);
    let waiting = 0, sending = false, again = false, submitted = false, out = false, last = "";

    function values() {
      const body = new URLSearchParams();
      FIELDS.forEach(function (name) {
        const field = form.elements[name];
        if (field) { body.append(name, field.value); }
      });
      return body;
    }

    async function tell(answer, body) {
      const kind = answer.headers.get("Content-Type") || "";
      const told = kind.startsWith("application/json") ? await answer.json() : {};
      if (told.kept && form.elements.kept) { form.elements.kept.value = told.kept; }
      if (!answer.ok) {
        says.textContent = told.says || "It could not be kept: may you still write it? Copy your text before you leave.";
        return;
      }
      last = body.toString();
      says.textContent = told.says + " " + new Date().toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"}) + " ";
      if (area.dataset.preview) {
        const link = document.createElement("a");
        Object.assign(link, {href: area.dataset.preview, className: "ml-link", textContent: "Preview it", target: "_blank"});
        says.append(link);
      }
    }

    async function keep() {
      clearTimeout(waiting);
      const body = values();
      if (submitted || body.toString() === last) { return; }
      if (sending) { again = true; return; }
      sending = true;
      try {
        const answer = await MailinglistSession.send(form, area.dataset.typed, body);
        out = !answer;
        says.classList.toggle("ml-kept--conflict", out || !answer.ok);
        if (out) {
          MailinglistSession.ended(says, form);
          waiting = setTimeout(keep, 4 * AFTER);
        } else {
          await tell(answer, body);
        }
      } catch (unreachable) {
        says.classList.add("ml-kept--conflict");
        says.textContent = "The server cannot be reached; it is tried again. Do not close this page.";
        waiting = setTimeout(keep, 4 * AFTER);
      }
      sending = false;
      if (again) { again = false; keep(); }
    }

    last = values().toString();
    form.addEventListener("input", function () {
      clearTimeout(waiting);
      waiting = setTimeout(keep, AFTER);
    });
    form.addEventListener("change", function () {
      clearTimeout(waiting);
      waiting = setTimeout(keep, AFTER);
    });
    window.addEventListener("focus", function () { if (out) { keep(); } });  /* back from logging in */
    form.addEventListener("submit", function () { submitted = true; clearTimeout(waiting); });
  }

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("textarea[data-typed]").forEach(start);
  });
})();
