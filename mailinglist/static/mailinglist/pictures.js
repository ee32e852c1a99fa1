/* The pictures that the editor offers: choose one, or upload one. Large photos are made smaller here, before they leave, and
   so are those of a file field with data-shrink. */
(function () {
  "use strict";

  const WIDEST = 1072;  /* pixels: twice what the text of a mail is wide */
  const MOST = 900000;  /* bytes; the server takes a million */
  const LONGEST = 4000;  /* pixels a side that the server takes */

  function make(tag, values, children) {
    const element = Object.assign(document.createElement(tag), values || {});
    (children || []).forEach(function (child) { element.append(child); });
    return element;
  }

  /* A photo as a JPEG that fits; anything else, and what fits already, as it is. */
  async function smaller(file) {
    if (!/^image\/(jpeg|png|webp)$/.test(file.type)) {
      return file;
    }
    const bitmap = await createImageBitmap(file, {imageOrientation: "from-image"});
    const taken = Math.max(bitmap.width, bitmap.height) <= LONGEST;
    if (file.size <= MOST && bitmap.width <= 2 * WIDEST && taken) {
      return file;
    }
    const share = Math.min(1, WIDEST / bitmap.width, LONGEST / bitmap.height);
    const canvas = make("canvas", {width: Math.round(bitmap.width * share), height: Math.round(bitmap.height * share)});
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const kind = file.type === "image/png" ? "image/png" : "image/jpeg";
    const blob = await new Promise(function (done) { canvas.toBlob(done, kind, 0.85); });
    return blob && (blob.size < file.size || !taken) ? new File([blob], file.name, {type: kind}) : file;
  }

  function open(area, chosen) {
    const says = make("p", {className: "ml-pictures-says"});
    says.setAttribute("role", "status");
    const grid = make("div", {className: "ml-pictures-grid"});
    const search = make("input", {type: "search", className: "ml-input", placeholder: "Search the pictures"});
    search.setAttribute("aria-label", "Search the pictures");
    const file = make("input", {type: "file", accept: "image/png,image/jpeg,image/webp,image/gif", required: true});
    file.hasChangeListener = true;  /* for the theme, which else writes the name into a field beside it that is not there */
    const alt = make("input", {className: "ml-input", placeholder: "What is to be seen", maxLength: 200, required: true});
    const form = make("form", {className: "ml-pictures-upload"}, [
      make("label", {}, ["A new one ", file]), make("label", {}, ["Description ", alt]),
      make("button", {className: "ml-btn ml-btn--primary ml-btn--small", textContent: "Upload and insert"}),
    ]);
    const close = make("button", {type: "button", className: "ml-btn ml-btn--small", textContent: "Close"});
    const dialog = make("dialog", {className: "ml-pictures"}, [
      make("div", {className: "ml-pictures-head"}, [make("h2", {className: "ml-h2", textContent: "Pictures"}), close]),
      form, says, search, grid,
    ]);
    dialog.setAttribute("aria-label", "Pictures");

    function done(picture) {
      dialog.close();
      chosen(picture.markdown);
    }

    function show(pictures) {
      grid.replaceChildren();
      says.textContent = pictures.length ? "" : "There is no such picture yet.";
      pictures.forEach(function (picture) {
        const image = make("img", {src: picture.path, alt: "", loading: "lazy"});
        const button = make("button", {type: "button", className: "ml-pictures-one", title: picture.alt}, [
          image, make("span", {textContent: picture.alt || picture.name}),
        ]);
        button.addEventListener("click", function () { done(picture); });
        grid.append(button);
      });
    }

    async function load() {
      const answer = await MailinglistSession.send(area.form, area.dataset.pictures + "?q=" + encodeURIComponent(search.value));
      if (!answer) {
        MailinglistSession.ended(says, area.form);
      } else if (answer.ok) {
        show((await answer.json()).pictures);
      } else {
        says.textContent = "The pictures could not be loaded: you may not see them.";
      }
    }

    async function upload(event) {
      event.preventDefault();
      says.textContent = "Uploading …";
      const body = new FormData();
      try {
        body.append("file", await smaller(file.files[0]));
      } catch (broken) {
        body.append("file", file.files[0]);  /* the server says what is wrong with it */
      }
      body.append("alt", alt.value);
      const answer = await MailinglistSession.send(area.form, area.dataset.upload, body);
      if (!answer) { MailinglistSession.ended(says, area.form); return; }
      const kind = answer.headers.get("Content-Type") || "";
      const told = kind.startsWith("application/json") ? await answer.json() : {};
      if (answer.ok) {
        done(told);
      } else {
        says.textContent = told.error || "It could not be uploaded: you may not.";
      }
    }

    function safely(act) {
      return function (event) {
        act(event).catch(function () { says.textContent = "The server cannot be reached. Try again."; });
      };
    }

    let waiting = 0;
    search.addEventListener("input", function () {
      clearTimeout(waiting);
      waiting = setTimeout(safely(load), 250);
    });
    form.addEventListener("submit", safely(upload));
    close.addEventListener("click", function () { dialog.close(); });
    dialog.addEventListener("close", function () { dialog.remove(); });
    document.body.append(dialog);
    dialog.showModal();
    safely(load)();
  }

  /* Puts the smaller picture in the place of the chosen one; the form waits for it. */
  function shrink(field) {
    let working = null;
    field.addEventListener("change", function () {
      const chosen = field.files[0];
      if (!chosen) { return; }
      const work = smaller(chosen).then(function (file) {
        if (file !== chosen && field.files[0] === chosen) {
          const one = new DataTransfer();
          one.items.add(file);
          field.files = one.files;
        }
      }).catch(function () {  /* the server says what is wrong with it */ }).then(function () {
        if (working === work) { working = null; }
      });
      working = work;
    });
    field.form.addEventListener("submit", function (event) {
      if (!working) { return; }
      event.preventDefault();
      const button = event.submitter;
      working.then(function () { field.form.requestSubmit(button); });
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("input[type=file][data-shrink]").forEach(shrink);
  });

  window.MailinglistPictures = {open: open};
})();
