// Made from crds/bank.yaml by npm run generate; changes belong there.
import type { Condition, KubeObject } from '../runtime/types.ts'

/** The bank's own server, which is asked before each trade and told what became of it. */
export interface BankResourceSpecCallback {
  /**
   * Base URL, http or https, without user, password, query or fragment, such as "https://bank.example/bourse". A
   * change holds for the next call.
   */
  readonly url: string
  /** Milliseconds after which a call counts as unanswered and is tried again. Default 2000. */
  readonly timeoutMs?: number
  /** Attempts after the first before a trade fails with BANK_CONNECTION_ERROR. Default 3. */
  readonly retries?: number
}

/** An entry of BankResourceSpecPairs. */
export interface BankResourceSpecPairsItem {
  /** Name of the pair for the bank, such as AZNUSDT. */
  readonly symbol: string
  /** The crypto, such as USDT. */
  readonly baseAsset: string
  /** The fiat, such as AZN. */
  readonly quoteAsset: string
  /**
   * The platform's margin in each quote, basis points of the price (150 is 1.5 %): added when a customer buys,
   * taken off when one sells. Default "150".
   */
  readonly spreadBps?: string
  /** Smallest buy or sell, fiat, such as "1". */
  readonly minAmount: string
  /** Largest buy or sell, fiat, such as "100000". */
  readonly maxAmount: string
  /** Smallest price step, fiat, such as "0.0001". */
  readonly tickSize: string
  /** Smallest quantity step, crypto, such as "0.01". */
  readonly lotSize: string
}

/** What a quote promises. A change holds for quotes given after it. */
export interface BankResourceSpecQuotes {
  /** Seconds that a quote may be taken. Default 10. */
  readonly ttlSeconds?: number
  /**
   * How far the market may have moved against the platform when a quote is taken, bps; beyond it SLIPPAGE. Default
   * "50".
   */
  readonly slippageBps?: string
}

/** What the bank may ask for. A lowered limit holds at once, for what is asked after it. */
export interface BankResourceSpecLimits {
  /** Requests per second of the bank over all gateways; more are answered 429. Default 200. */
  readonly requestsPerSecond?: number
  /** Most fiat of all buys and sells of a UTC day. No limit when silent or 0. */
  readonly dailyAmount?: string
  /** Most fiat of one customer's buys and sells of a UTC day. No limit when silent or 0. */
  readonly dailyAmountPerCustomer?: string
  /** What the daily amounts are counted in. quoteAsset of the first pair when silent. */
  readonly currency?: string
}

/**
 * How the API key and the webhook secret are rotated. Setting the annotation bourse.dev/rotate-key to a value
 * not used before (a date, say) rotates at once.
 */
export interface BankResourceSpecApiKeys {
  /** Days after which a new key and secret are made. Default 90. */
  readonly rotateAfterDays?: number
  /**
   * Hours that the previous key and secret stay valid after a rotation, so that the bank can change over. 0: they
   * end at once. Default 24.
   */
  readonly overlapHours?: number
}

/** What the bank may do, and how it is reached. */
export interface BankResourceSpec {
  /** Name of the bank for people. metadata.name when silent. */
  readonly displayName?: string
  /**
   * Active: the bank trades. Suspended: every call with its key is refused with BANK_SUSPENDED; what is open is
   * carried to its end. Default "Active".
   */
  readonly state?: 'Active' | 'Suspended'
  /** The bank's own server, which is asked before each trade and told what became of it. */
  readonly callback: BankResourceSpecCallback
  /**
   * What the bank's customers may trade. A pair that is removed gives no more quotes; its transactions stay
   * readable. Example: [{symbol: AZNUSDT, baseAsset: USDT, quoteAsset: AZN, spreadBps: "150", minAmount: "1",
   * maxAmount: "100000", tickSize: "0.0001", lotSize: "0.01"}].
   */
  readonly pairs: readonly BankResourceSpecPairsItem[]
  /** What a quote promises. A change holds for quotes given after it. */
  readonly quotes?: BankResourceSpecQuotes
  /** What the bank may ask for. A lowered limit holds at once, for what is asked after it. */
  readonly limits?: BankResourceSpecLimits
  /**
   * How the API key and the webhook secret are rotated. Setting the annotation bourse.dev/rotate-key to a value
   * not used before (a date, say) rotates at once.
   */
  readonly apiKeys?: BankResourceSpecApiKeys
  /** Address ranges that the bank may call from, such as "10.0.0.0/8". Empty means any. Default []. */
  readonly allowedCidrs?: readonly string[]
  /**
   * What deleting the Bank does once its open transactions have ended. Retain: it stays known and suspended with
   * its key, so that creating it again brings it back. Delete: keys are revoked, the Secret and the bank's
   * settings are removed. The journal and the ledger stay either way. Default "Retain".
   */
  readonly deletionPolicy?: 'Retain' | 'Delete'
}

/** What is. Written by the operator only. */
export interface BankResourceStatus {
  /** metadata.generation of the newest spec that the processes were given; they have it within 5 seconds. */
  readonly observedGeneration?: number
  /**
   * Name of the Secret with the current and the previous API key and webhook secret, and when the previous ones
   * end.
   */
  readonly keySecret?: string
  /** When the current key was made. */
  readonly keyRotatedAt?: string
  /** Transactions that a deletion waits for; present only while the Bank is being deleted. */
  readonly openTransactions?: number
  /** Ready, KeyRotationDue and CallbackReachable, with the standard fields. */
  readonly conditions?: readonly Condition[]
}

/**
 * A Bank is a partner whose customers buy and sell crypto for fiat through the platform. The operator makes its
 * API key and webhook secret (Secret bank-<name>-key) and rotates them. A change of the spec is in force within
 * 5 seconds, without a restart; quotes already given keep their price. Decimals are texts, so that none is
 * rounded.
 */
export interface BankResource extends KubeObject {
  readonly apiVersion: 'bourse.dev/v1alpha1'
  readonly kind: 'Bank'
  readonly spec: BankResourceSpec
  readonly status?: BankResourceStatus
}
