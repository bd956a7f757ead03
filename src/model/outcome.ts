/** How a command ended. Every command's result is plain JSON and has these two fields. */
export interface Outcome {
  readonly outcome: 'done' | 'cancelled' | 'refused' | 'failed';
  readonly message: string;
}
