/* The list of channels. SimCord shows one channel; another one is opened by the server. */

import { call } from "./connection.js";

let open = null;

export async function openChannel(id) {
  if (id === open) return;
  const answer = await call("channel", { channel: id });
  if (answer && !answer.status) location.reload();
}

export function listChannels(channels) {
  open = channels.find((channel) => channel.open)?.id;
  const list = document.createElement("nav");
  list.className = "inkling-channels";
  list.setAttribute("aria-label", "Channels");
  for (const { id, name } of channels) {
    const entry = document.createElement("button");
    entry.type = "button";
    entry.textContent = `# ${name}`;
    entry.addEventListener("click", () => openChannel(id));
    if (id === open) entry.setAttribute("aria-current", "page");
    list.append(entry);
  }
  document.querySelector(".sidebar-heading").after(list);
}
