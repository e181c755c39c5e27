/* What SimCord's page lacks: message menus and a list of channels. */

import { call, watch } from "./connection.js";
import { showExamples } from "./examples.js";

function element(tag, className, text, onClick) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  if (onClick) made.addEventListener("click", onClick);
  return made;
}

/* --- menus: a button beside Reply, on every message --- */

let menus = [];
let busy = false;

function addMenuButtons() {
  for (const toolbar of document.querySelectorAll(".message-context-actions:not([data-inkling])")) {
    toolbar.dataset.inkling = "true";
    const reply = toolbar.querySelector("[data-control-key^='message:']");
    const id = reply?.dataset.controlKey.split(":")[1];
    if (!id || !menus.length) continue;
    const button = element("button", "message-action-button inkling-menu-button", "Apps", (event) => {
      event.stopPropagation();
      openMenu(button, id);
    });
    button.type = "button";
    button.setAttribute("aria-haspopup", "menu");
    toolbar.prepend(button);
  }
}

function openMenu(button, id) {
  closeMenu();
  const menu = element("div", "inkling-menu", "");
  menu.setAttribute("role", "menu");
  for (const name of menus) {
    const item = element("button", "", name, () => runMenu(name, id));
    item.type = "button";
    item.setAttribute("role", "menuitem");
    menu.append(item);
  }
  document.body.append(menu);
  const place = button.getBoundingClientRect();
  menu.style.top = `${Math.min(place.bottom + 4, innerHeight - menu.offsetHeight - 8)}px`;
  menu.style.left = `${Math.max(8, place.right - menu.offsetWidth)}px`;
}

function closeMenu() {
  document.querySelector(".inkling-menu")?.remove();
}

async function runMenu(name, message) {
  closeMenu();
  if (busy) return;
  busy = true;
  try {
    while (window.simcordPreview.pendingAction) await new Promise((resolve) => setTimeout(resolve, 50));
    const { contextId, viewerId } = window.simcordPreview;
    await call("menu", { name, message, viewer: viewerId, context: contextId });
  } finally {
    busy = false;
  }
}

/* --- channels --- */

function listChannels(channels) {
  const list = element("nav", "inkling-channels", "");
  list.setAttribute("aria-label", "Channels");
  for (const { id, name, open } of channels) {
    const entry = element("button", "", `# ${name}`, async () => {
      const answer = await call("channel", { channel: id });
      if (answer && !answer.status) location.reload();
    });
    entry.type = "button";
    if (open) entry.setAttribute("aria-current", "page");
    list.append(entry);
  }
  document.querySelector(".sidebar-heading").after(list);
}

/* --- SimCord's line about the last action, when something is wrong, in plain words --- */

const action = document.getElementById("action-status");
const problem = element("span", "inkling-status", "");
problem.setAttribute("role", "status");
action.after(problem);
new MutationObserver(() => {
  const failed = /not completed|uncertain/.test(action.textContent);
  const text = failed ? "That did not work, or the bot is still busy." : "";
  if (problem.textContent !== text) problem.textContent = text;
}).observe(action, { childList: true, characterData: true, subtree: true });

document.addEventListener("click", closeMenu);
document.addEventListener("keydown", (event) => event.key === "Escape" && closeMenu());

/* --- the newest message stays in sight, unless somebody has scrolled up to read --- */

const timeline = document.getElementById("channel-timeline");

function follow() {
  const below = timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight;
  if (below < timeline.clientHeight) timeline.scrollTop = timeline.scrollHeight;
}

/** Move pictures above the buttons of their message, where Discord shows them. */
function movePictures() {
  for (const pictures of document.querySelectorAll(".message-components + .message-attachments")) {
    pictures.previousElementSibling.before(pictures);
  }
}

new MutationObserver(() => {
  addMenuButtons();
  movePictures();
  requestAnimationFrame(follow);
}).observe(document.getElementById("channel-message-list"), { childList: true, subtree: true, characterData: true });

watch((status) => {
  menus = status.menus;
  addMenuButtons();
  listChannels(status.channels);
  showExamples();
});
