/* Uses SimCord's command box as a person does: through its list, its fields and its keys. */

import { request } from "./connection.js";

export const form = document.getElementById("channel-composer");
export const input = document.getElementById("channel-composer-input");

/* --- SimCord does one action at a time, and drops what comes during another --- */

const POLL = 50;

let turn = Promise.resolve();
let isHeld = false;

export function isBusy() {
  const { pendingAction, awaitingRevision } = window.simcordPreview;
  return Boolean(pendingAction) || awaitingRevision !== null;
}

/** Call `act` once the page accepts an action. What waits is done in the order of these calls. */
export function whenIdle(act) {
  turn = turn.then(untilIdle).then(act).catch(reportError);
}

async function untilIdle() {
  while (isBusy()) await new Promise((resolve) => setTimeout(resolve, POLL));
}

/** Send what is in the box once the page accepts it, unless somebody has changed it until then. */
export function sendWhenIdle() {
  isHeld = true;
  whenIdle(() => {
    if (isHeld) form.requestSubmit();
    isHeld = false;
  });
}

form.addEventListener("input", ({ isTrusted }) => {
  if (isTrusted) isHeld = false;
});

/* --- the commands and their options --- */

let commands = new Map();
let fingerprint = null;
let loading = Promise.resolve();

/** Load the options of all commands again if SimCord has a new list of commands. */
export function loadCommands() {
  const { catalog } = window.simcordPreview.commandPicker;
  if (catalog.state === "ready" && catalog.fingerprint !== fingerprint) {
    fingerprint = catalog.fingerprint;
    loading = load();
  }
  return loading;
}

async function load() {
  const list = await request("/api/commands", { "X-Simcord-Context": window.simcordPreview.contextId });
  if (list?.entries) commands = new Map(list.entries.map(({ invocation, options }) => [invocation, options]));
  else fingerprint = null; // the next call tries again
}

/** Return the options of a command, or undefined if there is no such command. */
export function optionsOf(name) {
  return commands.get(name);
}

/** Return the options of the command in the box. */
export function options() {
  return optionsOf(form.querySelector(".command-chip")?.textContent.slice(1)) ?? [];
}

/** Return the option that takes words without the name of an option. */
export function wordsOption() {
  return options().find(({ required, type }) => required && type !== "attachment")
    ?? options().find(({ type }) => type === "string");
}

/** Return the field of an option, if the option is there and takes text. */
export function fieldOf(name) {
  return form.querySelector(`.command-option-input[data-option="${name}"]`);
}

export function suggestions() {
  return [...form.querySelectorAll(".command-popup:not([hidden]) .command-suggestion")];
}

/** Set the text of a field, as if it was typed. */
export function write(target, text) {
  target.value = text;
  target.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Remove the command from the box, if there is one. */
export function leaveCommand() {
  form.querySelector(".command-context-close")?.click();
}

/** Put a command into the box, in place of what is there. Return whether it is there now. */
export function choose(name) {
  leaveCommand();
  if (input.value !== `/${name}`) write(input, `/${name}`);
  const entries = [...form.querySelectorAll(".command-entry")];
  entries.find((entry) => entry.querySelector("strong")?.textContent === `/${name}`)?.click();
  return Boolean(form.querySelector(".command-chip"));
}

/** Add an option to the command, unless it is there, and go to its field. Return the field. */
export function openOption(name) {
  const pill = `.command-pill[data-option="${name}"]`;
  if (!form.querySelector(pill)) {
    form.querySelector(".command-ghost")?.click();
    suggestions().find((entry) => entry.dataset.value === name)?.click();
  }
  const field = form.querySelector(`${pill} :is(.command-option-input, .command-file-choose, .command-mention)`);
  field?.focus();
  return field;
}

/** Set the value of an option. Of a list of choices, take the first that contains the value. */
export function fillOption(name, value) {
  const field = openOption(name);
  if (!field?.matches("input")) return;
  write(field, value);
  if (value && !isSuggested(value)) suggestions().find((entry) => label(entry).includes(value.toLowerCase()))?.click();
}

function label(entry) {
  return entry.querySelector(".command-suggestion-label").textContent.toLowerCase();
}

/** Return whether a value is one of the choices, and not only a part of one. */
export function isSuggested(value) {
  return suggestions().some((entry) => entry.dataset.value.toLowerCase() === value.toLowerCase());
}

/** Remove an option that is not required, and return whether it could be removed. */
export function removeOption(name) {
  const button = form.querySelector(`.command-pill[data-option="${name}"] .command-option-remove`);
  button?.click();
  return Boolean(button);
}

/** Return whether a list is open, of which Enter takes an entry. */
export function hasList() {
  return Boolean(form.querySelector(".command-popup:not([hidden])"));
}

export function closeList() {
  const escape = new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true });
  form.querySelector(".command-chip")?.dispatchEvent(escape);
}
