/** Cuts text that arrives in pieces into server-sent events (HTML Living Standard §9.2.6). */
export class Messages {
  /** `tell` is called with `{type, data, id}` for every event; `id` is null where there is none. */
  constructor(tell) {
    this._tell = tell;
    this._rest = "";
    this._clear();
  }

  /** Take the next piece. */
  feed(text) {
    this._rest += text;
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this._rest);
      if (end === null) {
        return;
      }
      const line = this._rest.slice(0, end.index);
      this._rest = this._rest.slice(end.index + end[0].length);
      this._take(line);
    }
  }

  _take(line) {
    if (line === "") {
      if (this._data.length > 0) {
        this._tell({ type: this._type, data: this._data.join("\n"), id: this._id });
      }
      this._clear();
      return;
    }
    const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (name === "data") {
      this._data.push(value);
    } else if (name === "event") {
      this._type = value;
    } else if (name === "id") {
      this._id = value;
    }
  }

  _clear() {
    this._type = "message";
    this._data = [];
    this._id = null;
  }
}
