-- Timings of methods apart from any run (`adbench speed`), every sample kept.

CREATE TABLE speed (
  id INTEGER PRIMARY KEY,
  measured_at TEXT NOT NULL,
  environment INTEGER NOT NULL REFERENCES environment (id),
  method TEXT NOT NULL,
  method_version INTEGER NOT NULL,
  options TEXT NOT NULL,              -- JSON, those that differ from the defaults
  image_size INTEGER NOT NULL,
  batch INTEGER NOT NULL,             -- of a training step
  device TEXT NOT NULL,
  threads INTEGER NOT NULL,
  peak_train_bytes INTEGER NOT NULL,  -- of the process
  peak_predict_bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE speed_sample (
  speed INTEGER NOT NULL REFERENCES speed (id) ON DELETE CASCADE,
  series TEXT NOT NULL,               -- step, step_first, step_cached, features, predict_N
  number INTEGER NOT NULL,            -- 0, 1, ... in the order of measuring
  seconds REAL NOT NULL CHECK (seconds >= 0),
  PRIMARY KEY (speed, series, number)
) STRICT, WITHOUT ROWID;
