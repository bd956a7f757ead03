import type * as apps from 'kubernetes-types/apps/v1.js';
import type * as core from 'kubernetes-types/core/v1.js';
import type * as meta from 'kubernetes-types/meta/v1.js';

/*
 * Objects as the API's JSON has them. client-node's classes for them describe values that its own requests have
 * converted.
 */

/** An object that was read: it is never changed, and relies on less than the API requires of one that is written. */
type Read<T> = T extends meta.OwnerReference
  ? Sure<T, 'kind' | 'name'>
  : T extends core.ContainerStatus
    ? Sure<T, 'name' | 'restartCount'>
    : T extends apps.StatefulSetSpec
      ? Sure<T, 'template'>
      : T extends apps.StatefulSetStatus
        ? Sure<T, never>
        : T extends object
          ? { readonly [Key in keyof T]: Read<T[Key]> }
          : T;

type Sure<T, Keys extends keyof T> = { readonly [Key in Keys]: Read<T[Key]> } & {
  readonly [Key in keyof T]?: Read<T[Key]>;
};

export type Pod = Read<core.Pod>;
export type PodSpec = Read<core.PodSpec>;
export type Container = Read<core.Container>;
export type ContainerStatus = Read<core.ContainerStatus>;
export type StatefulSet = Read<apps.StatefulSet>;
export type OwnerReference = Read<meta.OwnerReference>;
export type PersistentVolumeClaim = Read<core.PersistentVolumeClaim>;
export type Event = Read<core.Event>;
