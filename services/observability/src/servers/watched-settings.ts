/** What every platform of a drill is told: its secrets, and limits that do not stand in the way of calls from one address. */

/** Key of the bank. */
export const BANK_KEY = 'the-demo-banks-key-of-the-drills-0123456789'
/** Token of administration. */
export const ADMIN_TOKEN = 'the-administrators-token-of-the-drills-0123456789'

/** Variables that all platforms share. */
export const LIFTED_LIMITS = {
  BOURSE_LOG_LEVEL: 'info',
  BOURSE_LIMIT_ADDRESS_REQUESTS_PER_SECOND: '100000',
  BOURSE_LIMIT_USER_REQUESTS_PER_SECOND: '100000',
  BOURSE_LIMIT_ADDRESS_SIGN_INS_PER_MINUTE: '100000',
  BOURSE_LIMIT_EMAIL_SIGN_INS_PER_MINUTE: '100000',
  BOURSE_LEDGER_PARTITIONS: '2',
  BOURSE_BRIDGE_PARTITIONS: '1',
  BOURSE_BANK_DEMO_API_KEY: BANK_KEY,
  BOURSE_ADMIN_TOKEN: ADMIN_TOKEN,
} as const
