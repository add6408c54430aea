/** Where the demo's story plays: what Ana and Bob can do in a chat, and what they see there. */

export interface StageMessage {
  readonly id: string;
  /** What it shows, for the terminal. */
  readonly lines: readonly string[];
  /** What its Approve button carries; undefined where it shows none. */
  readonly approve: string | undefined;
  /** Everything that it holds, to look for words in. */
  readonly content: string;
}

/** One play: what was asked is remembered, so a stage is used once. */
export interface Stage {
  /** Such as `#transfers`. */
  readonly place: string;
  /** Ana mentions the bot with these words. */
  ask(text: string): Promise<void>;
  /** What the bot wrote in the thread since, oldest first. */
  thread(): Promise<StageMessage[]>;
  /** Bob presses the message's Approve button. */
  approve(message: StageMessage): Promise<void>;
  /** Ana writes to the bot privately. */
  askPrivately(text: string): Promise<void>;
  /** What the bot answered there since. */
  answers(): Promise<StageMessage[]>;
}
