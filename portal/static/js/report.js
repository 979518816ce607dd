// The files of a report: chosen, dropped or pasted, each can be left out again; sending shows how far it is, and keeps them when it fails.
(() => {
  "use strict";

  // What is said stands here in English; the script's tag carries it in the page's language, see web/scripts.py.
  const words = JSON.parse(document.currentScript.dataset.words ?? "{}");
  const _ = (text, values = {}) => (words[text] ?? text).replace(/%\((\w+)\)s/g, (_all, name) => values[name]);

  const form = document.querySelector("[data-report]");
  if (!form) return;
  const find = (selector) => form.querySelector(selector);
  const [picker, list, drop] = [find("input[type=file]"), find("[data-upload-list]"), find("[data-drop]")];
  const [told, problem, bar, button] = [find("[data-upload-told]"), find("[data-upload-problem]"), find("progress"), find("button.primary")];
  const largest = Number(form.dataset.largest);
  const forbidden = new Set(form.dataset.forbidden.split(" ").filter(Boolean));
  const decimal = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
  let chosen = [];
  let sending = false;

  function size(bytes) {
    if (bytes < 1000) return _("%(size)s bytes", { size: bytes });
    return bytes < 1_000_000 ? _("%(size)s kB", { size: decimal.format(bytes / 1000) }) : _("%(size)s MB", { size: decimal.format(bytes / 1_000_000) });
  }

  // What the server would refuse anyway is said before anything is sent.
  function problemOf(file) {
    if (!file.size) return _("It is empty. Leave it out.");
    if (file.size > largest) return _("It is too large. Files may have up to %(size)s.", { size: size(largest) });
    const ending = file.name.toLowerCase().split(".").slice(1).find((part) => forbidden.has(part));
    return ending ? _("Files of this kind (.%(ending)s) are not taken here. Leave it out.", { ending }) : "";
  }

  function element(tag, className, text) {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return made;
  }

  function draw() {
    const rows = chosen.map((file) => {
      const [row, text, wrong] = [element("li", "upload-item", ""), element("div", "upload-text", ""), problemOf(file)];
      const leave = element("button", "button small", _("Leave out"));
      leave.type = "button";
      leave.setAttribute("aria-label", _("Leave out: %(name)s", { name: file.name }));
      leave.addEventListener("click", () => choose(chosen.filter((other) => other !== file), true));
      text.append(element("strong", "file-name", file.name), element("span", wrong ? "error" : "hint", wrong || size(file.size)));
      row.append(text, leave);
      return row;
    });
    list.replaceChildren(...rows);
    list.hidden = !rows.length;
  }

  function choose(files, focus = false) {
    chosen = files;
    const carrier = new DataTransfer();
    for (const file of files) carrier.items.add(file);
    picker.files = carrier.files;
    draw();
    if (focus) picker.focus();
  }

  const add = (files) => sending || choose([...chosen, ...files]);

  function fail(sentence) {
    sending = false;
    button.disabled = false;
    bar.hidden = true;
    problem.textContent = sentence;
  }

  function saidBy(request) {
    try {
      return JSON.parse(request.responseText).problems.join(" ");
    } catch {
      if (request.status === 413) return _("This is too much at once. All files together may have up to %(size)s.", { size: size(largest) });
      if ([400, 401].includes(request.status)) return _("You are not signed in any more, or this page is out of date. Reload it: what you wrote is kept, only the files must be chosen again.");
      return _("It could not be sent. What you wrote is kept; try again in a moment.");
    }
  }

  function send() {
    const [data, request] = [new FormData(form), new XMLHttpRequest()];
    Object.assign(bar, { hidden: false, value: 0 });
    sending = button.disabled = true;
    problem.textContent = "";
    told.textContent = _("Your report is on its way.");
    request.upload.addEventListener("progress", (event) => event.lengthComputable && (bar.value = event.loaded / event.total));
    request.addEventListener("load", () => {
      if (request.status >= 400) return fail(saidBy(request));
      sending = false;
      location.assign(request.responseURL);
    });
    request.addEventListener("error", () => fail(_("The connection broke. What you wrote is kept; press the button again.")));
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.send(data);
  }

  picker.addEventListener("change", () => add(picker.files));
  button.addEventListener("click", (event) => {
    if (!chosen.length) return; // without files the plain form does
    event.preventDefault();
    if (sending) return;
    const wrong = chosen.find(problemOf);
    if (wrong) return fail(_("“%(name)s”: %(problem)s", { name: wrong.name, problem: problemOf(wrong) }));
    send();
  });
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
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    add(event.clipboardData.files);
  });
  addEventListener("beforeunload", (event) => sending && event.preventDefault());
})();
