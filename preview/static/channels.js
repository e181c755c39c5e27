/* The list of channels. SimCord shows one channel; another one is opened by the server. */

import { call } from "./connection.js";

const MARKS = { text: "#", thread: "↳", direct: "@" };

const list = document.createElement("nav");
list.className = "inkling-channels";
list.setAttribute("aria-label", "Channels");
document.querySelector(".sidebar-heading").after(list);

let open = null;
let listed = "";
let names = new Map();

export async function openChannel(id) {
  if (id === open) return;
  const answer = await call("channel", { channel: id });
  if (answer && !answer.status) location.reload();
}

/** Show these channels in the list, which grows when a thread is opened. */
export function listChannels(channels) {
  if (JSON.stringify(channels) === listed) return;
  listed = JSON.stringify(channels);
  open = channels.find((channel) => channel.open)?.id;
  names = new Map(channels.map(({ id, name }) => [id, name]));
  list.replaceChildren(...channels.map(entry));
}

function entry({ id, name, kind }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = `inkling-${kind}`;
  button.textContent = `${MARKS[kind]} ${name}`;
  button.addEventListener("click", () => openChannel(id));
  if (id === open) button.setAttribute("aria-current", "page");
  return button;
}

export function nameOf(id) {
  return names.get(id);
}

/** Return the id of the newest channel of this name: SimCord shows a mention by the name alone. */
export function channelNamed(wanted) {
  return [...names].findLast(([, name]) => name === wanted)?.[0];
}
