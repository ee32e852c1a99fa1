// Gives ALTCHA's widget its words and its worker, a file of this server, and lets it begin. Without it nothing is solved.
for (const widget of document.querySelectorAll("altcha-widget")) {
  const words = { ...$altcha.i18n.get("en"), ...JSON.parse(widget.dataset.words) };
  $altcha.i18n.set("en", words);
  $altcha.algorithms.set("PBKDF2/SHA-256", () => new Worker(widget.dataset.worker));
  widget.configure({ language: "en", hideFooter: true, hideLogo: true, humanInteractionSignature: false });
  widget.verify();
  widget.parentElement.querySelector("[data-without-script]").remove();
}
