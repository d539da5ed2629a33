/**
 * The faults of a run, by the name under which they are drawn, switched and counted. A seed draws which of them can strike and
 * how often.
 */
export const faultKinds = [
  // The platform's processes
  'crash',
  'power-cut',
  'edge-crash',
  'views-crash',
  'zombie',
  'move',
  'slow-consumer',
  'clock-back',
  'clock-ahead',
  // The bus
  'message-delayed',
  'messages-reordered',
  'message-twice',
  'send-refused',
  'answer-lost',
  'link-cut',
  'bus-forgets',
  // The journal, the snapshots, the events and the views
  'append-slow',
  'append-refused',
  'append-unheard',
  'append-torn',
  'disk-full',
  'journal-unreadable',
  'record-flipped',
  'cursors-lost',
  'snapshot-refused',
  'snapshot-unheard',
  'snapshot-flipped',
  'snapshot-lost',
  'event-lost',
  'event-twice',
  'view-refused',
  'view-unheard',
  // The exchange and the banks: every fault of the simulators' control interface
  'exchange-reject',
  'exchange-error',
  'exchange-hang',
  'exchange-slow',
  'exchange-drop',
  'exchange-twice',
  'exchange-fill',
  'bank-reject',
  'bank-error',
  'bank-hang',
  'bank-slow',
  'bank-drop',
  'bank-twice',
  'bank-decline',
  // An order whose caller hears of a cut connection, and that arrives all the same, late
  'order-late',
] as const
/** One of the kinds. */
export type FaultKind = (typeof faultKinds)[number]
