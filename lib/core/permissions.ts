/** The role × verb table. It drives the API, the console and the published documentation. */
export const ROLES = ['viewer', 'operator', 'approver', 'admin'] as const
export type Role = (typeof ROLES)[number]

export const PERMISSIONS = {
  view: ['viewer', 'operator', 'approver', 'admin'],
  'lock.release': ['operator', 'approver', 'admin'],
  'lock.complete': ['operator', 'approver', 'admin'],
  'lock.fail': ['operator', 'approver', 'admin'],
  'hold.place': ['operator', 'approver', 'admin'],
  'hold.lift': ['operator', 'approver', 'admin'],
  'message.redrive': ['operator', 'approver', 'admin'],
  'message.discard': ['operator', 'approver', 'admin'],
  'run.start': ['operator', 'approver', 'admin'],
  'run.cancel': ['operator', 'approver', 'admin'],
  'retention.run': ['operator', 'approver', 'admin'],
  'case.triage': ['operator', 'approver', 'admin'],
  'case.propose': ['operator', 'approver', 'admin'],
  'action.approve': ['approver', 'admin'],
  'action.reject': ['approver', 'admin'],
  'alert.silence': ['operator', 'approver', 'admin'],
  'alert.acknowledge': ['operator', 'approver', 'admin'],
  'alert.test': ['operator', 'approver', 'admin'],
  'incident.manage': ['operator', 'approver', 'admin'],
  'audit.verify': ['viewer', 'operator', 'approver', 'admin'],
  'kill_switch.set': ['approver', 'admin'],
  'source.manage': ['admin'],
  'receiver.manage': ['admin'],
  'user.manage': ['admin'],
  'token.mint': ['admin'],
} as const satisfies Record<string, readonly Role[]>

export type Verb = keyof typeof PERMISSIONS

/** What each allows, for people. */
export const VERB_LABEL: Record<Verb, string> = {
  view: 'See everything',
  'lock.release': 'Release a key',
  'lock.complete': 'Complete a key',
  'lock.fail': 'Propose to fail a key for good',
  'hold.place': 'Hold new executions',
  'hold.lift': 'Lift a hold (a person)',
  'message.redrive': 'Send a dead message again',
  'message.discard': 'Discard a dead message',
  'run.start': 'Start a run',
  'run.cancel': 'Abort a run',
  'retention.run': 'Collect expired keys',
  'case.triage': 'Acknowledge, assign, snooze, comment, close',
  'case.propose': 'Propose a correction',
  'action.approve': 'Approve somebody else’s correction',
  'action.reject': 'Reject a correction',
  'alert.silence': 'Silence alerts',
  'alert.acknowledge': 'Acknowledge alerts',
  'alert.test': 'Send test notifications',
  'incident.manage': 'Open and run incidents: acknowledge, take a role, note, mitigate, close',
  'audit.verify': 'Verify the audit',
  'kill_switch.set': 'Switch writes off, on with a second person',
  'source.manage': 'Connect sources, switch them off and on, set links',
  'receiver.manage': 'Add and remove receivers, set their routes',
  'user.manage': 'Invite, lock out, change roles with a second admin',
  'token.mint': 'Mint tokens of services',
}

export const roleAllows = (role: Role, verb: Verb): boolean =>
  (PERMISSIONS[verb] as readonly Role[]).includes(role)

/** The least role that may do it, for "needs the approver role". */
export const leastRoleFor = (verb: Verb): Role => PERMISSIONS[verb][0]

/** Whether a role may do more than another: they are in order. */
export const isHigherRole = (role: Role, than: Role): boolean => ROLES.indexOf(role) > ROLES.indexOf(than)
