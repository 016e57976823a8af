/** Amounts and times for people. Times are those of the terminal, whatever the browser takes for its zone. */

const CARD_OFFSET_MS = 8 * 3600 * 1000;
export const CARD_OFFSET = "+08:00";

/** Fen as yuan. */
export function yuan(fen) {
  const sign = fen < 0 ? "-" : "";
  const digits = String(Math.abs(fen)).padStart(3, "0");
  return `${sign}¥${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Yuan as somebody types them, in fen; null if it is no amount. */
export function fen(text) {
  const parts = /^\s*¥?\s*(\d{1,8})(?:\.(\d{1,2}))?\s*$/.exec(text);
  return parts ? Number(parts[1]) * 100 + Number((parts[2] || "").padEnd(2, "0")) : null;
}

/** `2026-03-16T17:02:31+08:00` for a time in milliseconds. */
export function cardTime(milliseconds) {
  return new Date(milliseconds + CARD_OFFSET_MS).toISOString().slice(0, 19) + CARD_OFFSET;
}

/** Hours, minutes and seconds of a time. */
export function clock(time) {
  return cardTime(Date.parse(time)).slice(11, 19);
}

/** Day of a time. */
export function day(time) {
  return cardTime(Date.parse(time)).slice(0, 10);
}

/** Day and time. */
export function moment(time) {
  return `${day(time)} ${clock(time)}`;
}
