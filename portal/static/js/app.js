// What pages gain with JavaScript: drawers, toasts, keys. Every page works without this file. Nothing here builds HTML from text or stores anything but a time zone.
(() => {
  "use strict";

  // What is said stands here in English; the script's tag carries it in the page's language, see web/scripts.py.
  const words = JSON.parse(document.currentScript.dataset.words ?? "{}");
  const _ = (text) => words[text] ?? text;

  // Who chose no time zone in their account is told times in the one of their browser, from the next page on.
  if (document.documentElement.dataset.face === "portal") {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}; Path=/portal; SameSite=Lax${secure}`;
  }

  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const drawer = find("#drawer");
  const toasts = find("#toasts");
  const SHOWN_FOR = 6000;
  const MOST_TOASTS = 2;

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  // Toasts: six seconds, a pause while pointed at or focused; warnings stay until dismissed.

  function say(sentence) {
    const toast = find("#toast").content.firstElementChild.cloneNode(true);
    find("p", toast).textContent = sentence;
    toasts.append(toast);
  }

  // More than two would cover a phone: the oldest leave, warnings last.

  function thinOut() {
    const shown = all("[data-toast]", toasts);
    const leaving = [...shown.filter((toast) => !toast.matches(".warning")), ...shown.filter((toast) => toast.matches(".warning"))];
    for (const toast of leaving.slice(0, Math.max(0, shown.length - MOST_TOASTS))) toast.remove();
  }

  function startToast(toast) {
    let timer;
    const wait = () => {
      clearTimeout(timer);
      if (!toast.classList.contains("warning")) timer = setTimeout(() => toast.remove(), SHOWN_FOR);
    };
    const pause = () => clearTimeout(timer);
    toast.dataset.toast = "started";
    const dismiss = find("[data-dismiss]", toast);
    if (dismiss) {
      dismiss.hidden = false;
      dismiss.addEventListener("click", () => toast.remove());
    }
    for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, pause);
    for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, wait);
    wait();
  }

  function complain(sentence) {
    const box = element("div", "notice danger");
    box.append(element("p", "", sentence));
    (find("#drawer-notice") ?? find("#notice"))?.replaceChildren(box);
  }

  // Unsaved text.

  const sending = new WeakSet();

  function holdsText(form) {
    if (!form || sending.has(form)) return false;
    const fields = all("textarea, input[type=text], input:not([type])", form).filter((field) => field.name);
    const changed = fields.some((field) => field.value !== field.defaultValue) || "unsaved" in form.dataset;
    const chosen = form.dataset.guard === "all" && all("option", form).some((option) => option.selected !== option.defaultSelected);
    return changed || chosen || Boolean(find(".error-summary", form) && fields.some((field) => field.value));
  }

  addEventListener("beforeunload", (event) => {
    if (all("form[data-composer], form[data-guard], #drawer form").some(holdsText)) event.preventDefault();
  });

  // The drawer: htmx fills #drawer, this opens it as a modal dialog and gives the focus back afterwards.

  let opener = null;
  let openerId = "";

  function closeDrawer() {
    const form = find("form", drawer);
    if (holdsText(form) && !confirm(_("Close without saving? What you typed will be lost."))) return;
    drawer.replaceChildren();
  }

  function openDrawer(dialog) {
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      closeDrawer();
    });
    dialog.addEventListener("pointerdown", (event) => {
      const box = dialog.getBoundingClientRect();
      if (event.target === dialog && (event.clientX < box.left || event.clientX > box.right)) closeDrawer();
    });
    find("#notice")?.replaceChildren();
    dialog.showModal();
    find("[autofocus]", dialog)?.focus();
  }

  function returnFocus() {
    let place = opener?.isConnected ? opener : openerId ? document.getElementById(openerId) : null;
    if (place && !place.checkVisibility()) place = place.closest("details") && find("summary", place.closest("details"));
    if (!place && openerId === "banner-manage") place = find("#manage-access"); // the banner left with the last outsider
    (place ?? find("#conversation-title") ?? find("#main"))?.focus();
    opener = null;
  }

  function rememberOpener(source) {
    if (drawer.contains(source)) return;
    opener = source;
    const menu = source.closest("details");
    openerId = source.id || (menu && find("summary", menu).id) || "";
    if (menu) menu.open = false;
  }

  // Whatever came into the page, by loading or by a swap, is made ready here; safe to run again.

  function ready() {
    const dialog = find("dialog", drawer);
    if (dialog && !dialog.open) openDrawer(dialog);
    if (!dialog && opener) returnFocus();
    all('[data-toast=""]').forEach(startToast);
    thinOut();
    countTicks();
    if (navigator.clipboard) for (const button of all("[data-copies][hidden]")) button.hidden = false;
    for (const time of all("time[data-local]:not([data-told])")) {
      time.dataset.told = "";
      time.title = new Date(time.dateTime).toLocaleString(document.documentElement.lang, { dateStyle: "full", timeStyle: "long" });
    }
  }

  // How many are ticked, said in the bar below the list.

  function countTicks() {
    for (const place of all("[data-count]")) {
      const count = all("input[type=checkbox]:checked", place.closest("[data-ticks]")).length;
      const words = count ? `${count} ${place.dataset.count}${count === 1 ? "" : "s"}` : "";
      if (place.textContent !== words) place.textContent = words;
    }
  }

  // What a search box holds was asked for while it was typed. That it is left, to click a hit, is no news: an answer to it would take the hit
  // away under the pointer.
  document.addEventListener("change", (event) => {
    if (event.target.type === "search") event.stopPropagation();
  }, true);

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-ticks] input[type=checkbox]")) countTicks();
  });

  // Sending: a form goes out once, its button says so.

  function rest(form) {
    if (!form?.matches?.("form")) return;
    sending.delete(form);
    form.removeAttribute("aria-busy");
    for (const button of all("button", form)) {
      button.removeAttribute("aria-disabled");
      delete button.dataset.pressed;
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "dialog") return;
    if (sending.has(form)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    sending.add(form);
    form.setAttribute("aria-busy", "true");
    for (const button of all("button", form)) button.setAttribute("aria-disabled", "true");
    if (event.submitter) event.submitter.dataset.pressed = "";
  }, true);

  addEventListener("pageshow", () => all("form[aria-busy]").forEach(rest));

  let spoken = Infinity; // how many comments there were when one was sent

  // A toast goes when the next act is answered, also while it is pointed at: on a phone it would cover what is done next. Warnings stay.

  const notices = () => all("[data-toast]:not(.warning)", toasts);
  const earlier = new WeakMap(); // those shown when an act was sent
  const drop = (told) => told.forEach((toast) => toast.remove());
  document.addEventListener("uploaded", () => drop(notices()), true);

  document.addEventListener("htmx:before:request", (event) => {
    const { sourceElement: source, target } = event.detail.ctx;
    if (source.matches("form[method=post]")) earlier.set(event.detail.ctx, notices());
    if (target?.id === "drawer") rememberOpener(source);
    spoken = source.matches("[data-composer]") ? all("article", source.closest("section")).length : Infinity;
  });

  document.addEventListener("htmx:config:request", (event) => {
    const { sourceElement: source, request } = event.detail.ctx;
    if (!source.matches("[data-trim]")) return;
    for (const [name, value] of [...request.body]) if (!value) request.body.delete(name);
  });

  document.addEventListener("formdata", (event) => {
    if (!event.target.matches("[data-trim]")) return;
    for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
  });

  document.addEventListener("htmx:finally:request", (event) => {
    const { sourceElement: source, response } = event.detail.ctx;
    rest(source);
    if (response) drop(earlier.get(event.detail.ctx) ?? []);
    // What went wrong before is over when something went right.
    if (response?.raw.ok) for (const place of ["#notice", "#drawer-notice"]) find(place)?.replaceChildren();
  });

  document.addEventListener("htmx:after:swap", (event) => {
    const talk = event.target.closest?.("[data-conversation]");
    const articles = talk ? all("article", talk) : [];
    if (!talk?.dataset.conversation || articles.length <= spoken || find(".error-summary", talk)) return;
    say(talk.dataset.conversation);
    articles.at(-1).scrollIntoView({ block: "nearest" });
    find("textarea", talk)?.focus({ preventScroll: true });
  });

  document.addEventListener("htmx:error", (event) => {
    const ctx = event.detail.ctx;
    if (ctx && !ctx.response) complain(_("There was no answer. Check your connection and try again; what you typed is still here."));
  });

  // A case that is not available any more takes its whole page along. What was typed there and not sent is kept with what was.

  let unsent = [];

  document.addEventListener("htmx:before:swap", (event) => {
    const { hx, sourceElement: source } = event.detail.ctx;
    if (hx?.retarget !== "#main") return;
    const boxes = all("#main textarea, #drawer textarea, #main input[type=text]").filter((box) => box.form && box.form !== source);
    unsent = boxes.filter((box) => box.value.trim() && box.value !== box.defaultValue).map((box) => [box.labels[0]?.textContent ?? "", box.value]);
  });

  document.addEventListener("htmx:after:swap", () => {
    const place = find(".error-page .kept");
    if (!place) return;
    for (const [label, value] of unsent.splice(0)) {
      const [row, text] = [element("div"), element("dd")];
      text.append(element("span", "typed", value));
      row.append(element("dt", "", label), text);
      place.append(row);
      place.closest("section").hidden = false;
    }
  });

  // A page the browser kept and shows again by its back button: it goes when it may not be seen any more.

  addEventListener("pageshow", async (event) => {
    if (!event.persisted || document.documentElement.dataset.face !== "portal") return;
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual" }).catch(() => null);
    // Not reload(): what answered a form would send that form again. Without its hash: with it, nothing would be asked for.
    if (answer && !answer.ok) location.replace(location.href.split("#")[0]);
  });

  // A chip below a box of addresses is taken out of the box; the others stay, without the names that were pasted with them. Whoever is quick
  // takes out the next one, or types, before the list is drawn anew: then the text counts, and a list of an older text is not drawn.

  let asked = ""; // the text the next list is of
  let chipped = null; // the text the chips that can be seen are of; null as long as they came with the page

  function takeOut(address) {
    const box = find("#addresses");
    const current = box.value === (chipped ?? box.defaultValue);
    const [gone, others] = [[], []];
    for (const button of all("button[data-take-out]")) (button.dataset.takeOut === address ? gone : others).push(button);
    const next = others.find((button) => gone[0]?.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING) ?? others.at(-1);
    for (const button of gone) button.closest("li").remove();
    const text = box.value.toLowerCase();
    const rest = others.map((button) => button.dataset.takeOut).sort((one, other) => text.indexOf(one) - text.indexOf(other));
    box.value = current ? rest.join("\n") : box.value.split(/([\s,;<>"]+)/).filter((part) => part.toLowerCase() !== address).join("");
    if (current) chipped = box.value;
    (next ?? box).focus({ preventScroll: Boolean(next) });
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("htmx:before:request", (event) => {
    if (event.detail.ctx.target?.id === "chips") asked = find("#addresses").value;
  });

  document.addEventListener("htmx:before:swap", (event) => {
    if (event.detail.ctx.target?.id !== "chips") return;
    if (asked !== find("#addresses").value) return event.preventDefault();
    const held = document.activeElement.dataset.takeOut;
    chipped = asked;
    if (held) document.addEventListener("htmx:after:swap", () => all("button[data-take-out]").find((button) => button.dataset.takeOut === held)?.focus({ preventScroll: true }), { once: true });
  });

  // Clicks and typing.

  document.addEventListener("click", (event) => {
    for (const menu of all("details[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
    const closer = event.target.closest("dialog.drawer [data-close]");
    if (closer) {
      event.preventDefault();
      closeDrawer();
    }
    const tick = event.target.closest("button[data-tick]");
    if (tick) {
      event.preventDefault();
      for (const box of all("input[type=checkbox]", tick.closest("[data-ticks]"))) box.checked = tick.dataset.tick === "all";
      countTicks();
    }
    const taker = event.target.closest("button[data-take-out]");
    if (taker) takeOut(taker.dataset.takeOut);
    const copier = event.target.closest("button[data-copies]");
    if (copier) {
      const field = document.getElementById(copier.dataset.copies);
      navigator.clipboard.writeText(field.value).then(() => say(copier.dataset.told), () => field.select());
    }
    if (event.target.closest("[data-print]")) print();
    const link = event.target.closest("a[data-copy]");
    if (link && navigator.clipboard) {
      event.preventDefault();
      link.closest("details").open = false;
      navigator.clipboard.writeText(link.href).then(() => say(link.dataset.copy), () => location.assign(link.href));
    }
  });

  // What a choice would do is asked of the server; until it has answered, nothing of the old answer can be confirmed.

  document.addEventListener("change", (event) => {
    const form = event.target.closest("#drawer #access-choice")?.closest("form"); // not a reason or a tick below: they change no effect
    const confirmButton = form && find("#access-confirm", form);
    if (!confirmButton || !event.target.name) return;
    confirmButton.disabled = true;
    find(".error-summary", form)?.remove();
  });

  function move(step) {
    const links = all("[data-row]").map((row) => find("a", row)).filter(Boolean); // the first link of a row opens it
    const at = links.findIndex((link) => link.closest("[data-row]").contains(document.activeElement));
    links[at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
  }

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    c: () => find("[data-key=c]")?.click(),
    x: () => find("input[type=checkbox]", document.activeElement.closest("[data-row]") ?? element("i"))?.click(),
    b: () => find(".bulk button:not([data-tick])")?.focus(),
    "/": () => {
      const box = find("[data-key='/']");
      box?.focus();
      box?.select();
    },
    "?": () => find("#keys")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest?.("input, textarea, select");
    const button = field?.matches("textarea") && field.form && find("button.primary:not(:disabled)", field.form);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && button) {
      event.preventDefault();
      field.form.requestSubmit(button);
    } else if (event.key === "Enter" && field?.id === "people-search") {
      event.preventDefault();
    } else if (event.key === "Escape") {
      const menu = event.target.closest?.("details[data-menu][open]");
      const fact = event.target.closest?.("[data-fact]");
      if (fact && (!holdsText(find("form", fact)) || confirm(_("Leave this without saving? What you typed will be lost.")))) {
        find("[data-cancel]", fact).click();
      } else if (menu) {
        menu.open = false;
        find("summary", menu).focus();
      }
    } else if ((!field || field.matches("[type=checkbox]")) && !event.ctrlKey && !event.metaKey && !event.altKey && !find("dialog[open]") && Object.hasOwn(keys, event.key)) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  new MutationObserver(ready).observe(document.body, { childList: true, subtree: true });
  ready();
})();
