/* Sign-up without leaving the page. Where it cannot, the form or link that stands there works. */
(() => {
  "use strict";
  const base = new URL(".", document.currentScript.src).href;
  let count = 0;

  const make = (tag, values, ...children) => {
    const element = document.createElement(tag);
    for (const name in values) if (values[name]) element.setAttribute(name, values[name]);
    element.append(...children);
    return element;
  };
  const hide = (element) => {
    element.hidden = true;
    element.style.setProperty("display", "none", "important");
  };

  const ask = async (url, body) => {
    const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(url, { credentials: "omit", signal: AbortSignal.timeout?.(15e3), ...(body && post) });
    if (!answer.ok && answer.status !== 400) throw Error(url + " answers " + answer.status);
    return answer.json();
  };

  const row = ({ name, type, value, required, autocomplete, label, help, trap }, id, optional) => {
    const input = make("input", {
      name, type, value, required, autocomplete, id, tabindex: trap && -1, "aria-describedby": help && id + "-help",
    });
    const words = make("label", { for: id }, required || trap ? label : label + " " + optional);
    const found = make("p", { class: "mailinglist-field" }, words, " ", input);
    if (type === "checkbox") words.before(input, " ");
    if (help) found.append(" ", make("small", { id: id + "-help", class: "mailinglist-help" }, help));
    if (trap || type === "hidden") hide(found);
    return found;
  };

  const start = (form, texts, url) => {
    const prefix = "mailinglist-" + ++count + "-";
    const status = make("p", {
      class: "mailinglist-status", lang: texts.language, tabindex: -1, role: "status", "aria-live": "polite",
    });
    form.before(status);
    form.lang = texts.language;
    form.noValidate = true;

    const buttons = form.querySelectorAll("[type=submit], button:not([type])");
    let consent = form.querySelector(".mailinglist-consent");
    if (!consent) {
      consent = make("p", { class: "mailinglist-consent" });
      buttons[0] ? buttons[0].before(consent) : form.append(consent);
    }
    consent.textContent = texts.consent;

    const fields = texts.fields.map((field) => {
      const { name } = field, id = prefix + name;
      if (!form.elements[name]) consent.before(row(field, id, texts.optional));
      const input = form.elements[name];
      const error = make("span", { id: id + "-error", class: "mailinglist-error" });
      input.after(error);
      input.setAttribute("aria-describedby", error.id + " " + (input.getAttribute("aria-describedby") || ""));
      return { name, input, error };
    });

    const wait = (busy, errors) => {
      buttons.forEach((button) => { button.disabled = busy; });
      form.setAttribute("aria-busy", busy);
      fields.forEach(({ name, input, error }) => {
        error.textContent = (errors[name] || []).join(" ");
        input.setAttribute("aria-invalid", name in errors);
      });
    };

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (form.getAttribute("aria-busy") === "true") return;
      const values = { page: location.origin + location.pathname };
      fields.forEach(({ name, input }) => {
        values[name] = input.type === "checkbox" ? input.checked : input.value;
      });
      status.textContent = texts.sending;
      wait(true, {});
      try {
        const { message, errors = {} } = await ask(url + "subscribe.json", values);
        wait(false, errors);
        const wrong = fields.find(({ name }) => name in errors);
        status.textContent = message || (wrong ? texts.invalid : Object.values(errors).flat().join(" "));
        if (message) hide(form);
        (wrong ? wrong.input : status).focus();
      } catch {
        wait(false, {});
        HTMLFormElement.prototype.submit.call(form);
      }
    });
  };

  const enhance = async (place) => {
    const { dataset } = place, slug = dataset.mailinglist;
    if (dataset.mailinglistReady) return;
    dataset.mailinglistReady = "yes";
    const url = base + "lists/" + slug + "/";
    try {
      const texts = await ask(url + "form.json");
      let form = place;
      if (place.tagName !== "FORM") {
        form = make("form", { class: "mailinglist-form", method: "post", action: texts.action },
          make("button", { type: "submit", class: "mailinglist-button" }, texts.button));
        place.replaceChildren(form);
      }
      start(form, texts, url);
    } catch (error) {
      console.warn("Does the list " + slug + " allow " + location.origin + "?", error);
    }
  };

  const all = () => document.querySelectorAll("[data-mailinglist]").forEach(enhance);
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", all) : all();
})();
