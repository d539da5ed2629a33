/** What the asker can put right: the message says what is wrong and what to do. */
export class InspectFault extends Error {
  override readonly name = 'InspectFault'
}
