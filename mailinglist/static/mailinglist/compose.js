/* The editor of campaigns and templates: Markdown with a toolbar. HTML and MJML stay plain text. Without this script the
   form is an ordinary one. Nothing is loaded from elsewhere. */
(function () {
  "use strict";

  function tool(name, text, title, action) {
    return {name: name, text: text, title: title, action: action, className: "ml-tool ml-tool--" + name};
  }

  function insert(text) {
    return function (editor) {
      editor.codemirror.replaceSelection(text);
      editor.codemirror.focus();
    };
  }

  function toolbar() {
    return [
      tool("bold", "B", "Bold", EasyMDE.toggleBold),
      tool("italic", "I", "Italic", EasyMDE.toggleItalic),
      tool("heading", "Heading", "Heading", EasyMDE.toggleHeadingSmaller),
      "|",
      tool("quote", "Quote", "Quotation", EasyMDE.toggleBlockquote),
      tool("bullets", "• List", "List with bullets", EasyMDE.toggleUnorderedList),
      tool("numbers", "1. List", "List with numbers", EasyMDE.toggleOrderedList),
      tool("rule", "Line", "Line across", EasyMDE.drawHorizontalRule),
      "|",
      tool("link", "Link", "Link", EasyMDE.drawLink),
      tool("picture", "Picture", "Picture", function (editor) { 
        MailinglistPictures.open(editor.element, function (markdown) { insert(markdown)(editor); });
       }),
      tool("name", "Name", "The person's name", insert('{{ name|default:"friend" }}')),
      "|",
      tool("undo", "Undo", "Undo", EasyMDE.undo),
      tool("redo", "Redo", "Redo", EasyMDE.redo),
    ];
  }

  function start(area) {
    const format = document.getElementById(area.dataset.format);
    let editor = null;

    function follow() {
      const wanted = !format || format.value === "markdown";
      if (wanted && !editor) {
        editor = new EasyMDE({
          element: area,
          autoDownloadFontAwesome: false,
          spellChecker: false,
          nativeSpellcheck: true,
          inputStyle: "contenteditable",
          forceSync: true,
          status: false,
          minHeight: "24rem",
          toolbar: toolbar(),
          shortcuts: {togglePreview: null, toggleSideBySide: null, toggleFullScreen: null, drawImage: null},
        });
        editor.codemirror.getInputField().setAttribute("aria-label", "The mail, in Markdown");
        editor.codemirror.on("change", function () {
          area.dispatchEvent(new Event("input", {bubbles: true}));
        });
      } else if (!wanted && editor) {
        editor.toTextArea();
        editor = null;
      }
    }

    follow();
    if (format) {
      format.addEventListener("change", follow);
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("textarea[data-compose]").forEach(start);
  });
})();
