// Passkeys: hands what the server asks to the browser, and the browser's answer to the server in a plain form. Builds no HTML, stores nothing.
(() => {
  "use strict";

  // What is said stands here in English; the script's tag carries it in the page's language, see web/scripts.py.
  const words = JSON.parse(document.currentScript.dataset.words ?? "{}");
  const _ = (text) => words[text] ?? text;

  const REFUSED = _("The passkey was not used. Press the button to try again, or use another way.");
  const KNOWN = _("This device has a passkey for your account already. Use it, or choose another device.");
  const key = window.PublicKeyCredential;

  function say(form, sentence) {
    const place = form.querySelector("[data-passkey-trouble]");
    place.textContent = sentence;
    place.hidden = !sentence;
  }

  async function ask(form) {
    const options = JSON.parse(form.dataset.options);
    return form.dataset.passkey === "create"
      ? navigator.credentials.create({ publicKey: key.parseCreationOptionsFromJSON(options) })
      : navigator.credentials.get({ publicKey: key.parseRequestOptionsFromJSON(options) });
  }

  let asking = false;

  async function prove(form) {
    if (asking) return;
    asking = true;
    say(form, "");
    try {
      const answer = await ask(form);
      form.elements.credential.value = JSON.stringify(answer.toJSON());
      form.requestSubmit();
    } catch (error) {
      say(form, error.name === "InvalidStateError" ? KNOWN : REFUSED);
    } finally {
      asking = false;
    }
  }

  // On the window, so that a form without its answer is stopped before the page believes that it was sent.
  addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches?.("form[data-passkey]") || form.elements.credential.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    prove(form);
  }, true);

  // Coming back to the page: what was signed before is worth nothing any more.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-passkey]")) {
      const able = Boolean(key?.parseCreationOptionsFromJSON && key?.parseRequestOptionsFromJSON && navigator.credentials);
      form.elements.credential.value = "";
      form.querySelector("[data-passkey-idle]").hidden = true;
      form.querySelector("button").hidden = !able;
      form.querySelector("[data-passkey-unable]").hidden = able;
    }
  });
})();
