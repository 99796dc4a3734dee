// The result: one face at a time, any look-alike in the comparison, the phone's share sheet.

// <face-picker>: shows the face that was chosen, by its box, its picture or the address.
class FacePicker extends HTMLElement {
  connectedCallback() {
    this.first = {};
    this.faces = [...this.querySelectorAll(".face")];
    this.links = [...this.querySelectorAll("[data-face]")];
    for (const link of this.links) link.addEventListener("click", (event) => this.click(event));
    for (const button of this.querySelectorAll("[data-compare-chip]")) this.offer(button);
    const wanted = location.hash.match(/^#(?:face|link)-(\d+)$/)?.[1];
    const known = this.faces.some((face) => face.id === `face-${wanted}`);
    this.choose(known ? wanted : (this.faces[0]?.id.slice(5) ?? ""));
    // The browser looked for the address's element while its face was hidden.
    if (known) document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "center" });
  }

  click(event) {
    event.preventDefault();
    const number = event.currentTarget.dataset.face;
    this.choose(number);
    history.replaceState(history.state, "", `#face-${number}`);
    document.getElementById(`face-${number}`).focus();
  }

  choose(number) {
    for (const face of this.faces) face.hidden = face.id !== `face-${number}`;
    for (const link of this.links) {
      if (link.dataset.face === number) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  // Comparing with another person changes all that is said beside the faces, and there is a way
  // back. The words wait in a template of that person's entry.
  offer(button) {
    const face = button.closest(".face");
    const slider = face.querySelector("compare-slider");
    const put = ({ words, address, name, alt }, pressed) => {
      slider.face(address, name, alt);
      face.querySelector(".best-words").replaceWith(words);
      for (const each of face.querySelectorAll("[data-compare-chip]")) {
        each.setAttribute("aria-pressed", String(each === pressed));
      }
      slider.scrollIntoView({ block: "nearest" });
      slider.range.focus({ preventScroll: true });
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      this.first[face.id] ??= { words: face.querySelector(".best-words"), ...slider.other };
      const first = this.first[face.id];
      const { compareChip: address, compareName: name, compareAlt: alt } = button.dataset;
      const template = button.parentElement.querySelector("template");
      const words = template.content.firstElementChild.cloneNode(true);
      words.querySelector("[data-compare-back]").addEventListener("click", () => put(first, null));
      put({ words, address, name, alt }, button);
    });
  }
}

// <share-button>: hands the picture to the phone's share sheet, where there is one.
class ShareButton extends HTMLElement {
  connectedCallback() {
    const probe = new File([""], "picture.png", { type: "image/png" });
    if (!navigator.canShare?.({ files: [probe] })) return;
    this.hidden = false;
    this.firstElementChild.addEventListener("click", () => this.share());
  }

  async share() {
    const { picture, file: name, title, text, address, failed } = this.dataset;
    try {
      const answer = await fetch(picture);
      if (!answer.ok) throw new Error(answer.status);
      const file = new File([await answer.blob()], name, { type: "image/png" });
      await navigator.share({ files: [file], title, text: `${text} ${address}` });
    } catch (error) {
      if (error.name !== "AbortError") document.getElementById("announce").textContent = failed;
    }
  }
}

// <copy-button>: the link to the clipboard.
class CopyButton extends HTMLElement {
  connectedCallback() {
    if (!navigator.clipboard?.writeText) return;
    this.hidden = false;
    const button = this.firstElementChild;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(this.dataset.from).value);
      button.textContent = this.dataset.copied;
    });
  }
}

customElements.define("face-picker", FacePicker);
customElements.define("share-button", ShareButton);
customElements.define("copy-button", CopyButton);
