// The files of a report: chosen, dropped or pasted, each can be left out again; sending shows how far it is, and keeps them when it fails.
(() => {
  "use strict";

  const form = document.querySelector("[data-report]");
  if (!form) return;
  const find = (selector) => form.querySelector(selector);
  const [picker, list, drop] = [find("input[type=file]"), find("[data-upload-list]"), find("[data-drop]")];
  const [told, problem, bar, button] = [find("[data-upload-told]"), find("[data-upload-problem]"), find("progress"), find("button.primary")];
  const largest = Number(form.dataset.largest);
  const forbidden = new Set(form.dataset.forbidden.split(" ").filter(Boolean));
  let chosen = [];
  let sending = false;

  function size(bytes) {
    if (bytes < 1000) return `${bytes} bytes`;
    return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
  }

  // What the server would refuse anyway is said before anything is sent.
  function problemOf(file) {
    if (!file.size) return "It is empty. Leave it out.";
    if (file.size > largest) return `It is too large. Files may have up to ${size(largest)}.`;
    const ending = file.name.toLowerCase().split(".").slice(1).find((part) => forbidden.has(part));
    return ending ? `Files of this kind (.${ending}) are not taken here. Leave it out.` : "";
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
      const leave = element("button", "button small", "Leave out");
      leave.type = "button";
      leave.setAttribute("aria-label", `Leave out: ${file.name}`);
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
      if (request.status === 413) return `This is too much at once. All files together may have up to ${size(largest)}.`;
      if ([400, 401].includes(request.status)) return "You are not signed in any more, or this page is out of date. Reload it: what you wrote is kept, only the files must be chosen again.";
      return "It could not be sent. What you wrote is kept; try again in a moment.";
    }
  }

  function send() {
    const [data, request] = [new FormData(form), new XMLHttpRequest()];
    Object.assign(bar, { hidden: false, value: 0 });
    sending = button.disabled = true;
    problem.textContent = "";
    told.textContent = "Your report is on its way.";
    request.upload.addEventListener("progress", (event) => event.lengthComputable && (bar.value = event.loaded / event.total));
    request.addEventListener("load", () => {
      if (request.status >= 400) return fail(saidBy(request));
      sending = false;
      location.assign(request.responseURL);
    });
    request.addEventListener("error", () => fail("The connection broke. What you wrote is kept; press the button again."));
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
    if (wrong) return fail(`“${wrong.name}”: ${problemOf(wrong)}`);
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
