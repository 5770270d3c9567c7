import { isWithin, type Network, parseAddress, parseNetwork } from '../hub/address.ts';

export interface ProxySettings {
  /** Addresses and networks; read at each use, since a reload may change them. */
  readonly trustedProxies: readonly string[];
}

/** The proxies whose word is taken for where a connection comes from. */
export class TrustedProxies {
  readonly #settings: ProxySettings;
  #parsedFrom: readonly string[] = [];
  #networks: readonly Network[] = [];

  constructor(settings: ProxySettings) {
    this.#settings = settings;
  }

  /** Whether a connection from this address must begin with a PROXY header. */
  includes(address: string): boolean {
    const { trustedProxies } = this.#settings;
    if (trustedProxies.length === 0) return false;
    if (trustedProxies !== this.#parsedFrom) {
      this.#networks = trustedProxies.flatMap((text) => parseNetwork(text) ?? []);
      this.#parsedFrom = trustedProxies;
    }
    const parsed = parseAddress(address);
    return parsed !== null && this.#networks.some((network) => isWithin(network, parsed));
  }
}
