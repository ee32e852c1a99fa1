/* Names, for those who hear a page, of what the widgets of the admin leave without one. */
(function () {
  "use strict";

  function name(element, text) {
    if (element && text && !element.getAttribute("aria-label")) {
      element.setAttribute("aria-label", text.trim());
    }
  }

  function labelOf(field) {
    return field && field.labels && field.labels.length ? field.labels[0].textContent : "";
  }

  /* The boxes for typing in fields that search for what can be chosen. */
  function searches() {
    document.querySelectorAll(".select2-container").forEach(function (box) {
      const text = labelOf(box.previousElementSibling);
      name(box.querySelector(".select2-search__field"), text);
      name(box.querySelector("[role=combobox]"), text);
    });
  }

  /* The two lists of a field where things are moved from one to the other. */
  function movers() {
    document.querySelectorAll("select[id$=_from], select[id$=_to]").forEach(function (list) {
      const label = document.querySelector("label[for=" + list.id.replace(/_(from|to)$/, "") + "]");
      name(list, (label ? label.textContent.trim() : list.name) + (list.id.endsWith("_to") ? ", chosen" : ", to choose from"));
    });
  }

  /* Fields in the rows of a table: named by the head of their column. */
  function cells() {
    document.querySelectorAll("thead th").forEach(function (head) {
      if (!head.textContent.trim()) {
        const text = document.createElement("span");
        text.className = "ml-unseen";
        text.textContent = "Delete";
        head.append(text);
      }
    });
    document.querySelectorAll(".tabular td, [data-inline-type=tabular] td").forEach(function (cell) {
      const head = cell.closest("table").querySelectorAll("thead th")[cell.cellIndex];
      cell.querySelectorAll("input:not([type=hidden]), select, textarea").forEach(function (field) {
        if (!labelOf(field)) {
          name(field, head ? head.textContent : "");
        }
      });
    });
  }

  function all() {
    searches();
    movers();
    cells();
    name(document.querySelector("#nav-sidebar-apps"), "Pages");
    document.querySelectorAll("#nav-sidebar-apps [role=region]").forEach(function (part) {
      part.setAttribute("aria-label", "Pages");
    });
  }

  /* After what else waits for the page, and makes these widgets then. */
  window.addEventListener("load", function () { setTimeout(all, 0); });
})();
