/** What one check of the doctor found. */
export interface Finding {
  readonly state: 'good' | 'doubtful' | 'bad'
  readonly what: string
  /** What to do about it, where it is not good. */
  readonly help?: string
}

export const good = (what: string): Finding => ({ state: 'good', what })
export const doubtful = (what: string, help: string): Finding => ({ state: 'doubtful', what, help })
export const bad = (what: string, help: string): Finding => ({ state: 'bad', what, help })
