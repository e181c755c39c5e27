/* A row of first things to try. A click fills the command in; sending it is left to the person. */

import { choose, closeList, fillOption, form, sendWhenIdle, whenIdle } from "./command-box.js";

const EXAMPLES = [
  ["imagine", { prompt: "red apple" }],
  ["ask", { question: "Who brings the tent for the children?", messages: "11" }],
  ["complete", { prompt: "A good name for a boat is" }],
  ["help", {}],
];

const hint = document.createElement("p");
hint.className = "inkling-enter";
hint.setAttribute("role", "status");
form.prepend(hint);

/** How many examples wait until the page has sent something else. */
let waiting = 0;

function fillWhenIdle(name, options) {
  waiting += 1;
  hint.textContent = "Press Enter to send";
  whenIdle(() => {
    waiting -= 1;
    fill(name, options);
  });
}

for (const kind of ["input", "submit", "keydown", "click"]) {
  form.addEventListener(kind, ({ isTrusted }) => isTrusted && (hint.textContent = ""), true);
}

function fill(name, options) {
  choose(name);
  for (const [option, value] of Object.entries(options)) fillOption(option, value);
  closeList();
  document.getElementById("send-message").focus();
}

export function showExamples() {
  const row = document.createElement("div");
  row.className = "inkling-examples";
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", "Things to try");
  for (const [name, options] of EXAMPLES) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = [`/${name}`, Object.values(options)[0]].join(" ");
    button.addEventListener("click", () => fillWhenIdle(name, options));
    row.append(button);
  }
  row.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !waiting) return;
    event.preventDefault(); // the example is on its way: Enter sends it, and does not choose it again
    sendWhenIdle();
  });
  form.before(row);
}
