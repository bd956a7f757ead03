/** The clock that operations wait by; tests of operations hand in their own. */
export const waiting = {
  /** Milliseconds that only go forward. */
  now: (): number => performance.now(),
  /** Ends early, without throwing, when the signal is aborted. */
  delay: (milliseconds: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
    }),
};
