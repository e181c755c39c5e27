/* The menu of a message: a button beside Reply, on every message. */

import { call } from "./connection.js";
import { scrollToEnd } from "./timeline.js";

let busy = false;

export function addMenuButtons(menus) {
  if (!menus.length) return;
  for (const toolbar of document.querySelectorAll(".message-context-actions:not([data-inkling])")) {
    toolbar.dataset.inkling = "true";
    const reply = toolbar.querySelector("[data-control-key^='message:']");
    const id = reply?.dataset.controlKey.split(":")[1];
    if (!id) continue;
    const button = newButton("Apps", (event) => {
      event.stopPropagation();
      openMenu(button, menus, id);
    });
    button.className = "message-action-button inkling-menu-button";
    button.setAttribute("aria-haspopup", "menu");
    toolbar.prepend(button);
  }
}

function newButton(text, onClick) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", onClick);
  return button;
}

function openMenu(button, menus, id) {
  closeMenu();
  const menu = document.createElement("div");
  menu.className = "inkling-menu";
  menu.setAttribute("role", "menu");
  for (const name of menus) {
    const item = newButton(name, () => runMenu(name, id));
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
    scrollToEnd();
    await call("menu", { name, message, viewer: viewerId, context: contextId });
  } finally {
    busy = false;
  }
}

document.addEventListener("click", closeMenu);
document.addEventListener("keydown", (event) => event.key === "Escape" && closeMenu());
