// Adding files: chosen, dropped or pasted; each goes by itself, shows how far it is, can be stopped and tried again.
(() => {
  "use strict";

  // What is said stands here in English; the script's tag carries it in the page's language, see web/scripts.py.
  const words = JSON.parse(document.currentScript.dataset.words ?? "{}");
  const _ = (text, values = {}) => (words[text] ?? text).replace(/%\((\w+)\)s/g, (_all, name) => values[name]);
  const rules = new Intl.PluralRules(document.documentElement.lang);
  const single = (num) => rules.select(num) === "one";
  const ngettext = (one, many, num) => _((words[one] ?? [one, many])[single(num) ? 0 : 1], { num });

  const form = document.querySelector("[data-upload]");
  if (!form) return;
  const find = (selector) => form.querySelector(selector);
  const [picker, list, told, drop] = [find("input[type=file]"), find("[data-upload-list]"), find("[data-upload-told]"), find("[data-drop]")];
  const problemPlace = find("[data-upload-problem]") ?? told;
  const buttons = [...form.querySelectorAll("button[name=audience]")];
  const largest = Number(form.dataset.largest);
  const forbidden = new Set(form.dataset.forbidden.split(" ").filter(Boolean));
  const decimal = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
  const items = new Set();
  let running = false;

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  function size(bytes) {
    if (bytes < 1000) return _("%(size)s bytes", { size: bytes });
    if (bytes < 1_000_000) return _("%(size)s kB", { size: decimal.format(bytes / 1000) });
    if (bytes < 1_000_000_000) return _("%(size)s MB", { size: decimal.format(bytes / 1_000_000) });
    return _("%(size)s GB", { size: decimal.format(bytes / 1_000_000_000) });
  }

  // What the server would refuse anyway is said before anything is sent.
  function problemOf(file) {
    if (!file.size) return _("It is empty. Choose a file with something in it.");
    if (file.size > largest) return tooLarge();
    const ending = file.name.toLowerCase().split(".").slice(1).find((part) => forbidden.has(part));
    return ending ? _("Files of this kind (.%(ending)s) are not taken here.", { ending }) : "";
  }

  const same = (one, other) => one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;
  const waits = (file) => [...items].some((item) => item.state === "waiting" && same(item.file, file));
  const tooLarge = () => _("It is too large. A file may have up to %(size)s.", { size: size(largest) });

  function add(files) {
    const twice = new Set();
    for (const file of files) {
      if (waits(file)) {
        twice.add(_("“%(file)s” was chosen twice. It is the same file, so it is taken once.", { file: file.name }));
        continue;
      }
      const item = { file, seen: "", token: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, state: "waiting", row: element("li", "upload-item") };
      const problem = problemOf(file);
      items.add(item);
      list.append(item.row);
      draw(item, problem);
    }
    problemPlace.textContent = [...twice].join(" ");
    list.hidden = !items.size;
    picker.required = !items.size;
    picker.value = "";
  }

  function draw(item, problem = "") {
    if (problem) item.state = "failed";
    const state = { waiting: size(item.file.size), sending: _("On its way"), done: _("Added"), failed: problem }[item.state];
    const text = element("div", "upload-text");
    text.append(element("strong", "file-name", item.file.name), element("span", item.state === "failed" ? "error" : "hint", state));
    if (item.state === "sending") {
      item.bar = element("progress");
      item.bar.max = 1;
      item.bar.setAttribute("aria-label", _("Sending %(name)s", { name: item.file.name }));
      text.append(item.bar);
    }
    const actions = element("div", "actions");
    if (item.state === "failed" && item.sent) actions.append(press(_("Try again"), item, () => start([item], item.audience)));
    if (item.state === "sending") actions.append(press(_("Cancel"), item, () => item.request?.abort()));
    else if (item.state !== "done") actions.append(press(_("Leave out"), item, () => leaveOut(item)));
    item.row.replaceChildren(text, actions);
    item.row.dataset.state = item.state;
  }

  function press(label, item, act) {
    const button = element("button", "button small", label);
    button.type = "button";
    button.setAttribute("aria-label", `${label}: ${item.file.name}`);
    button.addEventListener("click", act);
    return button;
  }

  function leaveOut(item) {
    problemPlace.textContent = "";
    items.delete(item);
    item.row.remove();
    list.hidden = !items.size;
    picker.required = !items.size;
    picker.focus();
  }

  function send(item, audience) {
    return new Promise((resolve) => {
      const [data, request] = [new FormData(), new XMLHttpRequest()];
      Object.assign(item, { request, audience, state: "sending", sent: true });
      draw(item);
      data.append("csrf_token", find("[name=csrf_token]").value);
      data.append("submission", item.token);
      data.append("audience", audience);
      data.append("seen", item.seen);
      data.append("files", item.file, item.file.name);
      request.upload.addEventListener("progress", (event) => event.lengthComputable && (item.bar.value = event.loaded / event.total));
      const end = (problem) => {
        item.state = "done";
        draw(item, problem);
        resolve(!problem);
      };
      request.addEventListener("load", () => {
        const problem = request.status < 400 ? "" : saidBy(request);
        if (problem) tellAudience(item, request);
        if (request.status === 404) document.getElementById("files-refresh").dispatchEvent(new CustomEvent("uploaded")); // gone? then all of it goes
        end(problem);
      });
      request.addEventListener("error", () => end(_("The connection broke before it was there. Try again.")));
      request.addEventListener("abort", () => end(_("You stopped it; nothing was added.")));
      request.open("POST", form.action);
      request.setRequestHeader("Accept", "application/json");
      request.send(data);
    });
  }

  function answerOf(request) {
    try {
      return JSON.parse(request.responseText);
    } catch {
      return {};
    }
  }

  function saidBy(request) {
    const { problems } = answerOf(request);
    if (problems) return problems.join(" ");
    if (request.status === 413) return tooLarge();
    if ([400, 401].includes(request.status)) return _("You are not signed in any more, or this page is out of date. Reload it, then add the file again.");
    if ([403, 404].includes(request.status)) return _("The case is not available to you any more, or you may not add files to it.");
    return _("The server could not take it. Try again in a moment.");
  }

  // Who would see it now stands in the sentence of this file and on the button: only what is started from here on goes to them.
  function tellAudience(item, request) {
    const [audience, label] = [answerOf(request).audience, find("[data-send-label]")];
    if (!audience || !label) return;
    item.seen = find("[name=seen]").value = audience.seen;
    label.textContent = audience.label;
    label.parentElement.removeAttribute("title");
  }

  async function start(chosen, audience) {
    if (running) return;
    running = true;
    problemPlace.textContent = "";
    for (const button of buttons) button.disabled = true;
    const seen = find("[name=seen]").value;
    for (const item of chosen) item.seen ||= seen;
    let [good, bad] = [0, 0];
    for (const item of chosen) (await send(item, audience)) ? (good += 1) : (bad += 1);
    running = false;
    for (const button of buttons) button.disabled = false;
    const [added, lost] = [ngettext("One file is added.", "%(num)s files are added.", good), ngettext("One was not.", "%(num)s were not.", bad)];
    problemPlace.textContent = "";
    told.textContent = bad ? `${added} ${lost}` : added;
    if (good) document.getElementById("files-refresh").dispatchEvent(new CustomEvent("uploaded"));
  }

  picker.addEventListener("change", () => add(picker.files));
  for (const button of buttons) {
    button.addEventListener("click", (event) => {
      for (const item of [...items]) if (item.state === "done") leaveOut(item);
      const waiting = [...items].filter((item) => item.state === "waiting");
      if (!waiting.length && !items.size) return; // nothing chosen: the browser says so at the field
      event.preventDefault();
      if (waiting.length) start(waiting, button.value);
      else problemPlace.textContent = [...items].some((item) => item.sent)
        ? _("No file to send. Try those above again, or choose another one.")
        : _("No file to send. Those above cannot be sent; choose another one.");
    });
  }

  // Dropping anywhere on the page and pasting a picture or a file, unless somebody is writing.
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    drop.dataset.over = "";
  });
  addEventListener("dragleave", (event) => event.relatedTarget || delete drop.dataset.over);
  addEventListener("drop", (event) => {
    delete drop.dataset.over;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    add(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length || event.target.closest?.("textarea, input:not([type=file])")) return;
    event.preventDefault();
    add(event.clipboardData.files);
  });
  addEventListener("beforeunload", (event) => running && event.preventDefault());
})();
