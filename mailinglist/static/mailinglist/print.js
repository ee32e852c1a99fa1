// A button that prints the page. Without this script it stays hidden, and the browser's own menu prints as well.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    for (const details of document.querySelectorAll(".ml-page details")) details.open = true;
    window.print();
  });
}
