import { Readable } from "node:stream";
import { type HoldRequest, Stage } from "@ragline/contracts";
import { LeaseBroker } from "./lease-broker.js";
import type { LeaseDevice } from "./lease-device.js";
import { leaseHandlers } from "./lease-handlers.js";

type Kind = HoldRequest["kind"];

/** What a holder asks for. */
export interface Ask {
  readonly bytes: number;
  readonly priority: number;
  /** Absent: waits for ever. */
  readonly waitMs: number | undefined;
  /** Whether it does what the broker asks of it: shrinks, and stops when it is revoked. */
  readonly obeys: boolean;
}

/** A holder as the other end of a `Hold` stream: it speaks the contract's messages and can vanish or freeze. */
export class Holder {
  readonly ask: Ask;
  readonly connection = new AbortController();
  /** What it was told in the end without a grant, or when it lost one: a reason of the broker, or "lost". */
  told: string | undefined;
  granted: { readonly token: number; readonly device: string; bytes: number } | undefined;
  /** How many asked before it. */
  readonly order: number;
  isFrozen = false;
  isGone = false;
  readonly #requests = new Readable({ objectMode: true, read() {} });
  readonly #onGranted: (holder: Holder) => void;

  constructor(order: number, ask: Ask, onGranted: (holder: Holder) => void) {
    this.order = order;
    this.ask = ask;
    this.#onGranted = onGranted;
  }

  /** Waits for a grant: has been neither granted nor told. */
  get isWaiting(): boolean {
    return !this.granted && this.told === undefined && !this.isGone;
  }

  /** Believes that it may compute. */
  get computes(): boolean {
    return this.granted !== undefined && this.told === undefined && !this.isGone;
  }

  async talkTo(broker: LeaseBroker): Promise<void> {
    const { bytes, priority, waitMs } = this.ask;
    const value = { stage: Stage.DENSE, model: `m${this.order}`, bytes: BigInt(bytes), priority, deviceKind: "" };
    const wait = waitMs === undefined ? {} : { waitMs };
    this.#send({ case: "acquire", value: { ...value, exceptDevices: [], ...wait } } as unknown as Kind);
    const context = { signal: this.connection.signal } as Parameters<ReturnType<typeof leaseHandlers>["hold"]>[1];
    try {
      for await (const { kind } of leaseHandlers(broker).hold(this.#requests, context)) {
        if (this.isFrozen || this.isGone) continue;
        if (kind?.case === "granted") {
          const { fencingToken = 0n, device = "", bytes: grant = 0n } = kind.value;
          this.granted = { token: Number(fencingToken), device, bytes: Number(grant) };
          this.#onGranted(this);
        } else if (kind?.case === "shrink" && this.ask.obeys) {
          this.report(Math.floor(Number(kind.value.bytes) / 2));
        } else if (kind?.case === "revoked" && this.ask.obeys) {
          this.release("revoked");
        }
      }
      this.told ??= "ended";
    } catch (error) {
      this.told ??= (error as { reason?: string }).reason ?? String(error);
    }
  }

  /** Says what it uses. */
  report(bytes: number): void {
    this.#send({ case: "usage", value: { bytes: BigInt(bytes) } } as unknown as Kind);
  }

  /** Gives a part of its grant back. */
  shrink(bytes: number): void {
    if (!this.granted || bytes >= this.granted.bytes || this.isFrozen) return;
    this.granted.bytes = bytes;
    this.#send({ case: "shrunk", value: { bytes: BigInt(bytes) } } as unknown as Kind);
  }

  release(why = "released"): void {
    this.told ??= why;
    this.#send({ case: "release", value: {} } as unknown as Kind);
  }

  /** Its stream breaks: by its death, or by the keepalive of either end. */
  breakStream(why: "crashed" | "lost"): void {
    this.isGone ||= why === "crashed";
    this.told ??= "lost";
    this.connection.abort();
    this.#requests.destroy(new Error("the stream broke"));
  }

  #send(kind: Kind): void {
    if (!this.isFrozen && !this.isGone && !this.#requests.destroyed) this.#requests.push({ kind } as HoldRequest);
  }
}

/** A broker that can be started again, and everyone who ever talked to it. */
export class LeaseWorld {
  readonly holders: Holder[] = [];
  readonly #devices: readonly LeaseDevice[];
  readonly #exclusive: boolean;
  broker: LeaseBroker;
  /** Of every grant, in their order. */
  readonly tokens: number[] = [];

  constructor(devices: readonly LeaseDevice[], exclusive: boolean) {
    this.#devices = devices;
    this.#exclusive = exclusive;
    this.broker = new LeaseBroker({ devices, exclusive });
  }

  /** Someone new asks. */
  ask(ask: Ask): void {
    const holder = new Holder(this.holders.length, ask, (granted) => this.#noteGrant(granted));
    this.holders.push(holder);
    void holder.talkTo(this.broker);
  }

  /** The broker dies and is started again: every stream breaks, and who was not told otherwise asks again. */
  restart(): void {
    const interrupted = this.holders.filter((holder) => holder.isWaiting || holder.computes);
    for (const holder of interrupted) holder.breakStream("lost");
    const firstToken = Math.max(0, ...this.tokens);
    this.broker = new LeaseBroker({ devices: this.#devices, exclusive: this.#exclusive, firstToken });
    for (const { ask } of interrupted) this.ask(ask);
  }

  /** Those of a kind, the `which`th of them, if there are any. */
  pick(which: number, kind: (holder: Holder) => boolean): Holder | undefined {
    const among = this.holders.filter(kind);
    return among[which % Math.max(1, among.length)];
  }

  #noteGrant(granted: Holder): void {
    this.tokens.push(granted.granted?.token ?? Number.NaN);
  }
}
