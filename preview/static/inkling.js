/* Adds to SimCord's page what it lacks of Discord. */

import { listChannels } from "./channels.js";
import { form, options } from "./command-box.js";
import { watch } from "./connection.js";
import { showExamples, updateExamples } from "./examples.js";
import { addMenuButtons } from "./menus.js";
import { followSender, improveMessages, watchMessages } from "./timeline.js";
import "./pictures.js";
import "./typed-commands.js";

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Call `changed` whenever something in `element` changes. */
function observe(element, changed) {
  new MutationObserver(changed).observe(element, { childList: true, characterData: true, subtree: true });
}

/* --- SimCord's line about the last action, when something is wrong, in plain words --- */

const action = document.getElementById("action-status");
const problem = document.createElement("span");
problem.className = "inkling-status";
problem.setAttribute("role", "status");
action.after(problem);
observe(action, () => {
  const failed = /not completed|uncertain/.test(action.textContent);
  setText(problem, failed ? "That did not work, or the bot is still busy." : "");
  followSender();
});

/* --- the command box --- */

/** Use the singular for one thing: SimCord says "1 commands" and "+1 options". */
function correctPlural(element) {
  setText(element, element.textContent.replace(/(?<!\d)1 (command|required option|option)s/, "1 $1"));
}

/** Say what each option is for: SimCord shows the names alone. */
function describeOptions() {
  for (const entry of form.querySelectorAll(".command-suggestion:has(.command-suggestion-ellipsis)")) {
    const option = options().find(({ name }) => name === entry.dataset.value);
    if (!option) continue;
    entry.title = option.description;
    const description = document.createElement("span");
    description.className = "inkling-option-description";
    description.textContent = option.description;
    entry.querySelector(".command-suggestion-ellipsis").replaceWith(description);
  }
}

/** Say which numbers an option takes: SimCord says only that a number is not one of them. */
function nameRange(element) {
  const option = options().find(({ name }) => name === element.closest(".command-pill").dataset.option);
  if (option?.maxValue != null && /outside the allowed range/.test(element.textContent)) {
    setText(element, `From ${option.minValue ?? 0} to ${option.maxValue}.`);
  }
}

const announcements = document.getElementById("live-status");
observe(announcements, () => correctPlural(announcements));
observe(form, () => {
  describeOptions();
  form.querySelectorAll(".command-ghost").forEach(correctPlural);
  form.querySelectorAll(".command-error").forEach(nameRange);
  // Tab goes on to the next option. Backspace in an empty option removes it, without a mouse too.
  for (const button of form.querySelectorAll(".command-option-remove")) button.tabIndex = -1;
});

/* --- forms: the first field has the focus, and not the button that closes the form --- */

const forms = document.getElementById("modal-root");
new MutationObserver(() => {
  // SimCord focuses the button in the next frame, before this.
  if (!forms.hidden) requestAnimationFrame(() => forms.querySelector(".modal-input")?.focus());
}).observe(forms, { attributeFilter: ["hidden"] });

watch(({ menus }) => {
  showExamples();
  watchMessages(() => {
    addMenuButtons(menus);
    updateExamples();
  });
}, ({ channels }) => {
  listChannels(channels);
  improveMessages(); // those that speak of a new channel
});
