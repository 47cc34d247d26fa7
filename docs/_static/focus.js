// What is wider than its place scrolls by keyboard too: code, and tables on a phone.
const mark = () => {
  for (const box of document.querySelectorAll("pre, .table-wrapper")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
mark();
addEventListener("load", mark);
addEventListener("resize", mark);
