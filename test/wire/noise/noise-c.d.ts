declare module 'noise-c.wasm' {
  export interface NoiseCipherState {
    EncryptWithAd(ad: Uint8Array, plaintext: Uint8Array): Uint8Array;
    DecryptWithAd(ad: Uint8Array, ciphertext: Uint8Array): Uint8Array;
    free(): void;
  }
  export interface NoiseHandshakeState {
    Initialize(prologue: Uint8Array | null, s: Uint8Array | null): void;
    WriteMessage(payload: Uint8Array | null): Uint8Array;
    ReadMessage(message: Uint8Array, payloadNeeded: boolean): Uint8Array;
    GetHandshakeHash(): Uint8Array;
    GetRemotePublicKey(): Uint8Array;
    Split(): [NoiseCipherState, NoiseCipherState];
    free(): void;
  }
  export interface Noise {
    readonly constants: { readonly NOISE_ROLE_INITIATOR: number; readonly NOISE_ROLE_RESPONDER: number };
    HandshakeState(protocolName: string, role: number): NoiseHandshakeState;
  }
  /** The options are those of an Emscripten module. */
  function createNoise(options: { readonly wasmBinary: Uint8Array }, callback: (noise: Noise) => void): void;

  // biome-ignore lint/style/noDefaultExport: it is how the package exports it
  export { createNoise as default };
}
