/* A row of first things to try. A click fills the command in; sending it is left to the person. */

const EXAMPLES = [
  ["imagine", { prompt: "red apple" }],
  ["ask", { question: "Who brings the tent for the children?", messages: "12" }],
  ["complete", { prompt: "A good name for a boat is" }],
  ["help", {}],
];

const form = document.getElementById("channel-composer");
const input = document.getElementById("channel-composer-input");

function field(option) {
  return form.querySelector(`.command-option-input[data-option="${option}"]`);
}

function type(target, value) {
  target.value = value;
  target.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Return the entry of a command in the list that opens above the composer. */
function entry(name) {
  const entries = [...form.querySelectorAll(".command-entry")];
  return entries.find((candidate) => candidate.querySelector("strong")?.textContent === `/${name}`);
}

function fill(name, options) {
  form.querySelector(".command-context-close")?.click(); // leaves the command that is there
  type(input, `/${name}`);
  entry(name)?.click();
  for (const [option, value] of Object.entries(options)) {
    if (!field(option)) {
      form.querySelector(".command-ghost")?.click();
      form.querySelector(`.command-suggestion[data-value="${option}"]`)?.click();
    }
    if (field(option)) type(field(option), value);
  }
  const escape = new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true });
  form.querySelector(".command-chip")?.dispatchEvent(escape); // closes the list of further options
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
