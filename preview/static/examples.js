/* A row of first things to try. A click fills the command in; sending it is left to the person. */

import { choose, closeList, fillOption, form } from "./command-box.js";

const EXAMPLES = [
  ["imagine", { prompt: "red apple" }],
  ["ask", { question: "Who brings the tent for the children?", messages: "12" }],
  ["complete", { prompt: "A good name for a boat is" }],
  ["help", {}],
];

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
    button.addEventListener("click", () => fill(name, options));
    row.append(button);
  }
  form.before(row);
}
