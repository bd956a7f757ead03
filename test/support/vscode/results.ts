/** What the commands return, as a test reads it. */
export interface Result {
  readonly outcome: string;
  readonly message: string;
}

export interface CheckResult extends Result {
  readonly ok: boolean;
  readonly text: string;
}

export interface NodeResult {
  readonly id: string;
  readonly role: string;
  readonly address: string;
  readonly slots: string;
  readonly health: string;
  readonly pod?: string;
  readonly worker?: string;
  readonly masterId?: string;
}

export interface SnapshotResult extends Result {
  readonly cluster: {
    readonly name: string;
    readonly nodes: readonly NodeResult[];
    readonly shards: readonly {
      readonly master: string;
      readonly replicas: readonly string[];
      readonly slots: string;
      readonly slotCount: number;
    }[];
    readonly findings: readonly { readonly rule: string }[];
    readonly loosePods: readonly string[];
  };
}
