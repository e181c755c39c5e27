/* A row of first things to say and to try. A click fills the box in; sending it is left to the person. */

import { choose, closeList, fillOption, form, input, leaveCommand, sendWhenIdle, whenIdle, write } from "./command-box.js";

const EXAMPLES = [
  newMessage("@Inkling What is a good name for a boat?"),
  newReply("@Inkling What is in this picture?"),
  newCommand("chat"),
  newCommand("imagine", { prompt: "red apple" }),
  newCommand("ask", { question: "Who brings the tent for the children?", messages: "11" }),
  newCommand("complete", { prompt: "The lighthouse keeper" }),
  newCommand("help"),
];

const hint = document.createElement("p");
hint.className = "inkling-enter";
hint.setAttribute("role", "status");
form.prepend(hint);

/** How many examples wait until the page has sent something else. */
let waiting = 0;

function fillWhenIdle(fill) {
  waiting += 1;
  hint.textContent = "Press Enter to send";
  whenIdle(() => {
    waiting -= 1;
    fill();
  });
}

for (const kind of ["input", "submit", "keydown", "click"]) {
  form.addEventListener(kind, ({ isTrusted }) => isTrusted && (hint.textContent = ""), true);
}

/* --- what an example fills in --- */

function newCommand(name, options = {}) {
  const fill = () => {
    choose(name);
    for (const [option, value] of Object.entries(options)) fillOption(option, value);
    closeList();
    document.getElementById("send-message").focus();
  };
  return { label: [`/${name}`, Object.values(options)[0]].join(" "), fill };
}

function newMessage(text) {
  const fill = () => {
    leaveCommand();
    leaveReply();
    write(input, text);
    input.focus();
  };
  return { label: text, fill };
}

/** A reply to the newest message with a picture. It is offered as long as there is one. */
function newReply(text) {
  const message = newMessage(text);
  const fill = () => {
    message.fill();
    replyToPicture()?.click();
  };
  return { label: text, fill, isOffered: () => Boolean(replyToPicture()) };
}

function leaveReply() {
  if (!document.getElementById("reply-context").hidden) document.getElementById("reply-cancel").click();
}

function replyToPicture() {
  const messages = [...document.querySelectorAll("#channel-message-list > article:has(.attachment-image)")];
  return messages.at(-1)?.querySelector("[data-control-key$=':action:reply']");
}

/* --- the row --- */

const buttons = new Map();

export function showExamples() {
  const row = document.createElement("div");
  row.className = "inkling-examples";
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", "Things to try");
  for (const example of EXAMPLES) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = example.label;
    button.addEventListener("click", () => fillWhenIdle(example.fill));
    buttons.set(example, button);
    row.append(button);
  }
  row.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !waiting) return;
    event.preventDefault(); // the example is on its way: Enter sends it, and does not choose it again
    sendWhenIdle();
  });
  form.before(row);
}

/** Show the examples that are possible with the messages that are there. */
export function updateExamples() {
  for (const [{ isOffered }, button] of buttons) if (isOffered) button.hidden = !isOffered();
}
