// The JSON that the server answers, as `sync-server/wire/src/{read,v1}.rs` document it.

export type ClockQuality = 'unset' | 'restored' | 'rtc' | 'synced';
export type PictureState = 'on_trap' | 'stored' | 'unreadable';
export type MissReason = 'camera' | 'disk' | 'cut' | 'off' | 'overrun' | 'battery' | 'clock';

export type Page<T> = { items: T[]; next: string | null };
export type Me = { name: string };
export type Problem = { error: string; message: string };

/** A token that lets traps in by themselves. */
export type EnrolToken = {
  id: string;
  prefix: string;
  uses_max: number;
  uses: number;
  made_by: string;
  added_ms: number;
  expires_ms: number;
  revoked_ms: number | null;
  state: 'good' | 'expired' | 'used_up' | 'revoked';
};

/** A token just made: shown once. `qr` is the path of an SVG of `qr_modules` modules a side. */
export type NewToken = { id: string; token: string; qr: string; qr_modules: number };

/** A trap that waits to be accepted. */
export type PendingTrap = {
  code: string;
  wished_name: string;
  latitude_deg: number | null;
  longitude_deg: number | null;
  agent_version: string;
  peer: string;
  asked_ms: number;
  last_ms: number;
};

/** A card that spoke with a trap's key, where there is more than one. */
export type TrapCard = {
  trap: string;
  trap_name: string;
  card: string;
  board: string;
  standing: 'holder' | 'parked' | 'anew';
  first_ms: number;
  last_ms: number;
  moved_ms: number | null;
};

export type ParkedTrap = { trap: string; trap_name: string; parked_ms: number };

export type Enrolment = {
  tokens: EnrolToken[];
  pending: PendingTrap[];
  cards: TrapCard[];
  parked: ParkedTrap[];
};

export type Fault = { part: string; message: string; since_ms: number };

export type TrapSummary = {
  id: string;
  name: string;
  revoked: boolean;
  last_contact_ms: number | null;
  last_capture_ms: number | null;
  last_capture: string | null;
  captures: number;
  captures_today: number;
  insects_latest: number | null;
  insects_today: number | null;
  missed_today: number;
  battery_v: number | null;
  clock: ClockQuality | null;
  clock_behind_ms: number | null;
  pictures_waiting: number | null;
  next_due_ms: number | null;
  agent_version: string | null;
  faults: Fault[];
  model: string | null;
  offer: Offer | null;
};

/** How far an offered model is on a trap. */
export type ModelState =
  | { kind: 'fetching'; done_bytes: number; size_bytes: number }
  | { kind: 'trying' }
  | { kind: 'probation'; pictures_left: number }
  | { kind: 'in_use' }
  | { kind: 'refused'; reason: string };

/** A model that is offered to a trap; `state` is null while the trap has not heard of it. */
export type Offer = { id: string; offered_ms: number; state: ModelState | null };

export type CaptureSource =
  | { kind: 'camera'; model: string }
  | { kind: 'replayed'; file_name: string }
  | { kind: 'simulated' };

/** Why a picture was taken. */
export type ShotCause = 'schedule' | 'trigger' | 'visit' | 'other';
/** What is wrong with a picture. */
export type PictureFlaw = 'covered' | 'dark' | 'overexposed' | 'blurred' | 'cast' | 'other';

/** How a picture was taken; what the camera did not say is absent. */
export type ShotFacts = {
  exposure_us?: number;
  gain?: number;
  lens_dioptres?: number;
  white_balance_k?: number;
  sensor_c?: number;
  sensor_model?: string;
};

/** What a picture is worth, as the trap measured it. */
export type PictureQuality = {
  sharpness: number;
  mean_luma: number;
  contrast: number;
  dark_share: number;
  bright_share: number;
  cast: number;
  hue_degrees: number;
  flaws?: PictureFlaw[];
};

export type CaptureSummary = {
  trap: string;
  id: string;
  taken_ms: number;
  clock: ClockQuality;
  picture_state: PictureState;
  width_px: number | null;
  height_px: number | null;
  insects: number | null;
  gave_up: string | null;
  source: CaptureSource;
  cause: ShotCause | null;
  /** Empty for a good picture, and for one that was not measured. */
  flaws: PictureFlaw[];
};

export type Stamp = { unix_ms: number; quality: ClockQuality; boot_id: string; uptime_ms: number };

export type PictureRef = {
  sha256: string;
  size_bytes: number;
  width_px: number | null;
  height_px: number | null;
};

export type Detection = {
  x_px: number;
  y_px: number;
  width_px: number;
  height_px: number;
  score: number;
  class: string;
  /** Number of the insect's track in the trap's ledger. */
  track?: number;
  /** Taken over from the picture before. */
  carried?: boolean;
};

export type LookFacts = {
  tiles: number;
  tiles_run: number;
  whole?: string;
  is_half?: boolean;
  card: 'first' | 'same' | 'new';
  is_poor?: boolean;
};

export type InspectionOutcome =
  | { kind: 'seen'; detections: Detection[]; look?: LookFacts }
  | { kind: 'gave_up'; reason: string; attempts: number };

export type Inspection = {
  capture: string;
  model: { id: string; sha256: string; threshold: number };
  stamp: Stamp;
  took_ms: number;
  outcome: InspectionOutcome;
};

export type ReadingRow = {
  trap: string;
  id: string;
  taken_ms: number;
  clock: ClockQuality;
  temperature_c: number | null;
  humidity_percent: number | null;
  light_lux: number | null;
  battery_v: number | null;
};

export type CaptureDetail = CaptureSummary & {
  trap_name: string;
  stamp: Stamp;
  picture: PictureRef;
  shot: ShotFacts | null;
  quality: PictureQuality | null;
  stored_ms: number | null;
  reading: ReadingRow | null;
  inspections: Inspection[];
  /** Numbers of the tracks that arrived between the picture before and this one. */
  arrivals: number[];
  previous: string | null;
  next: string | null;
};

export type EffortOutcome =
  { kind: 'done'; capture: string } | { kind: 'missed'; reason: MissReason; detail: string };

export type EffortRow = {
  trap: string;
  id: string;
  due_ms: number;
  last_due_ms: number;
  shots: number;
  outcome: EffortOutcome;
};

export type TimelineReading = {
  taken_ms: number;
  temperature_c: number | null;
  humidity_percent: number | null;
  light_lux: number | null;
};

export type TimelineCapture = {
  taken_ms: number;
  id: string;
  insects: number | null;
  picture_state: PictureState;
  flaws: PictureFlaw[];
};

export type Timeline = {
  from_ms: number;
  until_ms: number;
  readings: TimelineReading[];
  captures: TimelineCapture[];
  missed: EffortRow[];
  truncated: boolean;
};

export type ArrivalCount = { counted: number; low: number; high: number };

export type Interval = {
  from_ms: number;
  until_ms: number;
  looks: number;
  failed: number;
  /** `null` when nobody looked, which is not "none". */
  arrivals: ArrivalCount | null;
  clock_doubtful: number;
};

export type Arrivals = {
  from_ms: number;
  until_ms: number;
  step_ms: number;
  intervals: Interval[];
  /** All of it as one interval; narrower than the sum. */
  total: ArrivalCount | null;
  models: string[];
};

export type Box = { x_px: number; y_px: number; width_px: number; height_px: number };

export type TrackMoment = {
  capture: string;
  taken_ms: number;
  picture_state: PictureState;
  box: Box;
};

export type TrackDetail = {
  trap: string;
  trap_name: string;
  id: string;
  first: string;
  last: string;
  best: string;
  first_ms: number;
  first_clock: ClockQuality;
  last_ms: number;
  seen: number;
  card: number;
  class: string;
  score: number;
  model: { id: string; sha256: string; threshold: number };
  origin: 'arrived' | 'present';
  is_confirmed: boolean;
  could_be?: string;
  end?: 'gone' | 'card_changed' | 'lost';
  best_picture: PictureState;
  moments: TrackMoment[];
};
