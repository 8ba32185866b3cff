/** The shape of one conformance test: a fresh store and a way to restart it. */
import type { Store } from "../../../../src/runtime/store/store.ts";

export type WithStore = (store: Store, restart: () => Promise<Store>) => Promise<void>;
export type Suite = (title: string, body: WithStore) => void;
