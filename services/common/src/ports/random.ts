/**
 * Random.
 *
 * R1 `bytes` are unpredictable to whoever sees all others (keys, tokens, salts).
 * R2 `below(n)` is a whole number in 0 … n − 1, each as likely.
 */
export interface Random {
  bytes(count: number): Uint8Array
  below(limit: number): number
}
