// A seat in the room. Every coming in needs a new token; when the line drops, one is asked for and the seat taken again,
// without a word from the person. `page` stays the same as long as the page does: the other side tells a line that dropped
// from a page that was loaded anew.
const PAUSES = [250, 500, 1000, 2000]; // ms between attempts; the last one repeats
const PATIENCE = 6000; // ms that a step may take
const ENDINGS = { 4403: "refused", 4409: "replaced", 4410: "closed" };

class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

function newPage() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Room {
  #socket = null;
  #joined = false;
  #over = false;
  #attempts = 0;
  #tries = 0;
  #timer = 0;

  // on: joined(ticket, message), other(page), gone(left), signal(data), consent(message), lost(), ended({code, detail})
  constructor({ token, csrf, on }) {
    Object.assign(this, { token, csrf, on, page: newPage() });
    this.online = () => this.rejoin();
    addEventListener("online", this.online);
  }

  get isIn() {
    return this.#joined;
  }

  enter() {
    return this.#attempt();
  }

  // The line may be dead without knowing it: take the seat anew.
  rejoin() {
    if (this.#over) return;
    if (this.#joined) this.#dropped();
    this.#tries = 0;
    this.#attempt();
  }

  send(data) {
    if (this.#joined && this.#socket?.readyState === WebSocket.OPEN) this.#say({ type: "signal", data });
  }

  leave() {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#say({ type: "leave" });
    this.#stop();
  }

  async #attempt() {
    clearTimeout(this.#timer);
    const attempt = (this.#attempts += 1);
    const isOutdated = () => this.#over || attempt !== this.#attempts;
    try {
      const ticket = await this.#ticket();
      if (!isOutdated()) this.#open(ticket);
    } catch (error) {
      if (isOutdated()) return;
      if (error instanceof Refused) this.#end(error.problem);
      else this.#again();
    }
  }

  async #ticket() {
    const answer = await fetch(this.token, {
      method: "POST",
      headers: { accept: "application/json", "x-csrftoken": this.csrf },
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (answer.status >= 500 || answer.status === 429) throw new Error(`${answer.status}`);
    const body = await answer.json();
    if (!answer.ok) throw new Refused(body);
    return body;
  }

  #open(ticket) {
    const address = new URL(ticket.signal_url, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    this.#dropped();
    const socket = new WebSocket(address);
    const late = setTimeout(() => this.#lost(socket), PATIENCE);
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: "join", token: ticket.token, page: this.page }));
    socket.onmessage = (event) => socket === this.#socket && this.#hear(JSON.parse(event.data), ticket, late);
    socket.onclose = (event) => {
      clearTimeout(late);
      if (socket !== this.#socket) return;
      if (event.code in ENDINGS) this.#end({ code: ENDINGS[event.code] });
      else this.#lost(socket);
    };
  }

  #hear(message, ticket, late) {
    switch (message.type) {
      case "joined":
        clearTimeout(late);
        this.#joined = true;
        this.#tries = 0;
        return this.on.joined(ticket, message);
      case "other":
        return this.on.other(message.page);
      case "gone":
        return this.on.gone(message.left);
      case "signal":
        return this.on.signal(message.data);
      case "consent":
        return this.on.consent(message);
      case "replaced":
        return this.#end({ code: "replaced" });
      case "closed":
      case "refused":
        return this.#end(message);
    }
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#dropped();
    this.#again();
  }

  #again() {
    if (this.#over) return;
    this.#timer = setTimeout(() => this.#attempt(), PAUSES[Math.min(this.#tries, PAUSES.length - 1)]);
    this.#tries += 1;
  }

  // Whatever the old line still says is of no interest.
  #dropped() {
    const [socket, joined] = [this.#socket, this.#joined];
    this.#socket = null;
    this.#joined = false;
    socket?.close();
    if (joined) this.on.lost();
  }

  #end({ code, detail }) {
    if (this.#over) return;
    this.#stop();
    this.on.ended({ code, detail });
  }

  #stop() {
    this.#over = true;
    clearTimeout(this.#timer);
    removeEventListener("online", this.online);
    const socket = this.#socket;
    this.#socket = null;
    this.#joined = false;
    socket?.close();
  }

  #say(message) {
    this.#socket.send(JSON.stringify(message));
  }
}
