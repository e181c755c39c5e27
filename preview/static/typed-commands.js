/* Commands that are typed as text, as in Discord: a space chooses the command, and "option:" goes to that option. */

import {
  choose, closeList, fieldOf, fillOption, form, hasList, input, isBusy, isSuggested, loadCommands, openOption, options,
  optionsOf, removeOption, sendWhenIdle, suggestions, whenIdle, wordsOption, write,
} from "./command-box.js";

const COMMAND = /^\/(\S+)\s*([\s\S]*)$/;

/**
 * Split a text at the names of options: "red apple count: 4" becomes [["prompt", "red apple"], ["count", "4"]].
 * A space at the end is kept: somebody may still be typing.
 */
function split(text, first) {
  const names = options().map(({ name }) => name).join("|");
  const parts = names ? text.split(new RegExp(`(?:^|\\s+)(${names}):`)) : [text];
  const pairs = [[first, parts[0].trimStart()]];
  for (let at = 1; at < parts.length; at += 2) pairs.push([parts[at], parts[at + 1].trimStart()]);
  return pairs;
}

function fillAll(pairs) {
  for (const [option, value] of pairs) {
    if (value) fillOption(option, value);
    else openOption(option);
  }
}

/** Put a typed command and its options into the command box. Return whether the text begins with a command. */
function enter(text) {
  const [, name, rest] = COMMAND.exec(text) ?? [];
  if (!optionsOf(name) || !choose(name)) return false;
  const [words, ...others] = split(rest, wordsOption()?.name);
  fillAll(words[0] && words[1] ? [words, ...others] : others);
  return true;
}

/** Go from an option's field to the option whose name was typed in it. */
async function leave(option) {
  await loadCommands();
  whenIdle(() => {
    const [[, value], ...others] = split(fieldOf(option)?.value ?? "", option);
    if (!others.length) return;
    if (value || !removeOption(option)) fillOption(option, value);
    fillAll(others);
  });
}

async function enterAtSpace() {
  await loadCommands();
  whenIdle(() => { // until then, SimCord does not let anything be added to a command
    if (input.isConnected && /^\/\S+\s/.test(input.value)) enter(input.value);
  });
}

form.addEventListener("input", ({ target, data }) => {
  hint("");
  if (target === input && input.value.startsWith("/")) void enterAtSpace();
  else if (target.matches(".command-option-input")) {
    if (data === ":") void leave(target.dataset.option);
    else if (/^\s/.test(target.value)) write(target, target.value.trimStart());
  }
});

form.addEventListener("click", ({ isTrusted, target }) => {
  if (isTrusted && target.closest(".command-context-close")) write(input, ""); // SimCord leaves the command's name
});

form.addEventListener("focusin", () => void loadCommands());

/* --- a message that looks like a command is never posted --- */

const problem = document.createElement("p");
problem.className = "inkling-hint";
problem.setAttribute("role", "alert");
form.prepend(problem);

function hint(text) {
  problem.textContent = text;
}

form.addEventListener("submit", (event) => {
  const isEdit = form.querySelector("#send-message").getAttribute("aria-label") === "Save";
  if (!input.isConnected || isEdit || !input.value.startsWith("/")) return;
  if (enter(input.value)) return; // SimCord, which hears of the event next, sends the command in the box
  event.preventDefault();
  event.stopImmediatePropagation();
  const isReady = window.simcordPreview.commandPicker.catalog.state === "ready";
  const [name] = input.value.split(/\s/);
  hint(isReady ? `There is no command ${name}. Type / to see all commands.` : "The commands are still loading. Try again.");
}, true);

/* --- keys in the command box --- */

let hasMoved = false;

/** Remember whether somebody moves through a list: only then does Enter take an entry that is not what was typed. */
function setMoved(value) {
  hasMoved = value;
  form.classList.toggle("inkling-moved", value);
}

form.addEventListener("keydown", (event) => {
  const { target, key } = event;
  const isField = target.matches(".command-option-input");
  const isChip = target.matches(".command-chip");
  if (!isField && !isChip) return;
  const isArrow = key === "ArrowDown" || key === "ArrowUp";
  if (key === "Enter" && !hasMoved && (isChip || isSuggested(target.value))) closeList(); // so that it sends
  if (isChip && isArrow && !hasMoved) stop(event); // the first entry, which SimCord has marked already
  if (isChip && key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const option = wordsOption()?.name ?? suggestions()[0]?.dataset.value;
    if (key === " " || !option) stop(event);
    else openOption(option); // the letter is typed there
  }
  if (isField && key === "Backspace" && !target.value && removeOption(target.dataset.option)) {
    stop(event);
    [...form.querySelectorAll(".command-option-input, .command-chip")].at(-1).focus();
  }
  if (key !== "Shift") setMoved(isArrow);
}, true);

/* Enter while the page still sends something else: the box is sent next. */
form.addEventListener("keydown", (event) => {
  const isText = event.target.matches("#channel-composer-input, .command-option-input, .command-chip");
  if (!isText || event.key !== "Enter" || event.shiftKey || event.isComposing || hasList() || !isBusy()) return;
  stop(event);
  sendWhenIdle();
}, true);

function stop(event) {
  event.preventDefault();
  event.stopPropagation();
}
