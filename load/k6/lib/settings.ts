/** What a run is told by its environment. All of it has defaults for `npm start` on this machine. */

const text = (name: string, otherwise = ''): string => __ENV[name] ?? otherwise
const positive = (name: string, otherwise: number): number => {
  const given = text(name)
  const value = given === '' ? otherwise : Number(given)
  if (!(value > 0)) throw new Error(`${name} is "${given}"; give a number above 0`)
  return value
}

/** `http://host:port` of a gateway, without a slash at the end. */
export const baseUrl = text('BOURSE_LOAD_URL', 'http://127.0.0.1:3000').replace(/\/+$/, '')
/** The same for WebSockets. */
export const socketUrl = `${baseUrl.replace(/^http/, 'ws')}/ws`
/** Where to read metrics for the books; several with commas. Empty: at the gateway, if it shows them. */
export const metricsUrls: readonly string[] = (text('BOURSE_LOAD_METRICS') || `${baseUrl}/metrics`).split(',')
/** Whether somebody said where the metrics are: they have to be there then. */
export const areMetricsNamed = text('BOURSE_LOAD_METRICS') !== ''
/** The bank's API key; empty: no bank takes part. */
export const bankKey = text('BOURSE_LOAD_BANK_KEY')
/** The administrator's token; empty: what only he sees of the books is skipped. */
export const adminToken = text('BOURSE_LOAD_ADMIN_TOKEN')
/** All rates are multiplied by it. */
export const rateFactor = positive('BOURSE_LOAD_RATE', 1)
/** Every stage lasts as many times its length. */
export const timeFactor = positive('BOURSE_LOAD_TIME', 1)
/** Files of the summary; empty: none. */
export const summaryFiles = { json: text('BOURSE_LOAD_JSON'), html: text('BOURSE_LOAD_HTML') }
