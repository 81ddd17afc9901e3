-- Runs and what they measured. Columns that hold JSON say so; the program checks it, because a schema that
-- calls functions is not trusted. Times are UTC as YYYY-MM-DDTHH:MM:SSZ; measured figures are fractions 0..1.

CREATE TABLE environment (
  id INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,          -- SHA-256 of the canonical JSON of the other columns
  host TEXT NOT NULL,
  cpu TEXT NOT NULL,
  gpu TEXT NOT NULL,                  -- '' without one
  compiler TEXT NOT NULL,
  libraries TEXT NOT NULL,            -- JSON {NAME: VERSION}
  code_commit TEXT NOT NULL,          -- with '+dirty' when the tree had changes
  build_type TEXT NOT NULL
) STRICT;

CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL CHECK (key <> ''), -- of the cell: everything that can change the model
  attempt INTEGER NOT NULL CHECK (attempt >= 1),
  method TEXT NOT NULL,
  method_title TEXT NOT NULL,
  method_version INTEGER NOT NULL,
  dataset TEXT NOT NULL,
  setting TEXT NOT NULL CHECK (setting IN ('multi', 'single')),
  classes TEXT NOT NULL,              -- JSON ["bottle", ...] in the data set's order
  seed INTEGER NOT NULL,
  protocol TEXT NOT NULL,
  protocol_version INTEGER NOT NULL,
  protocol_config TEXT NOT NULL,      -- JSON, resolved
  epoch_rule TEXT NOT NULL CHECK (epoch_rule IN ('last', 'best_pixel_auroc')),
  options TEXT NOT NULL,              -- JSON, resolved
  changed_options TEXT NOT NULL,      -- JSON [{path, value, default, origin}]
  weights TEXT NOT NULL,              -- JSON {name, source, resolved}
  data_manifest TEXT NOT NULL,        -- SHA-256
  textures TEXT NOT NULL,             -- SHA-256 of their manifest, '' without
  status TEXT NOT NULL CHECK (status IN
    ('running', 'finished', 'failed', 'interrupted', 'timeout', 'out_of_memory', 'killed')),
  reason TEXT NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  process_start TEXT NOT NULL,        -- BOOT:TICKS; with host and pid it names one process for ever
  started_at TEXT NOT NULL,
  finished_at TEXT,
  environment INTEGER NOT NULL REFERENCES environment (id),
  folder TEXT NOT NULL,               -- relative to the store's folder, '' without
  threads INTEGER NOT NULL,
  device TEXT NOT NULL,
  epochs INTEGER NOT NULL,
  reported_epoch INTEGER,
  last_epoch INTEGER,
  external INTEGER NOT NULL CHECK (external IN (0, 1)), -- 1: maps of another program
  notes TEXT NOT NULL,
  UNIQUE (key, attempt),
  CHECK ((status = 'running') = (finished_at IS NULL)),
  CHECK (status IN ('running', 'finished') OR reason <> ''),
  CHECK (status <> 'finished' OR reported_epoch IS NOT NULL)
) STRICT;
CREATE INDEX run_by_selection ON run (dataset, method, status);

CREATE TABLE curve (
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  epoch INTEGER NOT NULL,
  name TEXT NOT NULL,                 -- loss, loss.PART, lr, train_s, test_s, images_per_s, ...
  value REAL NOT NULL,
  PRIMARY KEY (run, epoch, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric (
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  epoch INTEGER NOT NULL,
  category TEXT NOT NULL,             -- '' is the mean over the categories
  key TEXT NOT NULL,                  -- image.auroc, image.ap, ..., mad
  value REAL CHECK (value BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308),
  reason TEXT CHECK (reason <> ''),   -- why it is undefined
  metric_version INTEGER NOT NULL,
  metric_mode TEXT NOT NULL,          -- exact, ader
  fpr_limit REAL NOT NULL CHECK (fpr_limit > 0 AND fpr_limit <= 1),
  eval_size TEXT NOT NULL,            -- 256, native
  PRIMARY KEY (run, epoch, category, key, metric_mode, metric_version, fpr_limit, eval_size),
  CHECK ((value IS NULL) = (reason IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE category_count (
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  category TEXT NOT NULL,
  name TEXT NOT NULL,                 -- images, anomalous, components, components_vanished, labels_changed
  eval_size TEXT NOT NULL,
  value INTEGER NOT NULL CHECK (value >= 0),
  PRIMARY KEY (run, category, name, eval_size)
) STRICT, WITHOUT ROWID;

CREATE TABLE image_score (
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  epoch INTEGER NOT NULL,
  category TEXT NOT NULL,
  sample TEXT NOT NULL,
  anomalous INTEGER NOT NULL CHECK (anomalous IN (0, 1)),
  score REAL NOT NULL,
  ader_score REAL,                    -- as the 'ader' metric mode pools it
  PRIMARY KEY (run, epoch, category, sample)
) STRICT, WITHOUT ROWID;

CREATE TABLE efficiency (
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  key TEXT NOT NULL,                  -- parameters, macs, train_s, time_per_image_ms, peak_memory_bytes, ...
  value REAL,
  unit TEXT NOT NULL,
  note TEXT NOT NULL,                 -- how it was measured, or why it could not be
  PRIMARY KEY (run, key),
  CHECK (value IS NOT NULL OR note <> '')
) STRICT, WITHOUT ROWID;

CREATE TABLE artifact (
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  path TEXT NOT NULL,                 -- relative to the run's folder
  kind TEXT NOT NULL,                 -- weights, map, curve, thumbnail, checkpoint, log, ...
  epoch INTEGER NOT NULL,
  category TEXT NOT NULL,             -- '' when it belongs to no category
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;
