-- What stands beside the runs: baselines, published figures and the views that answer common questions.

CREATE TABLE baseline (
  name TEXT NOT NULL,
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE RESTRICT,
  created_at TEXT NOT NULL,
  PRIMARY KEY (name, run)
) STRICT, WITHOUT ROWID;

CREATE TABLE published (
  table_id TEXT NOT NULL,
  dataset TEXT NOT NULL,
  method TEXT NOT NULL,
  variant TEXT NOT NULL,              -- GROUP/ROW of an ablation, '' for a main result
  class TEXT NOT NULL,                -- '' is the printed mean
  metric TEXT NOT NULL,
  value REAL NOT NULL,                -- as printed, in the printed unit: never a fraction
  printed TEXT NOT NULL,
  unit TEXT NOT NULL,                 -- percent, million, billion, MB, h
  source TEXT NOT NULL,
  PRIMARY KEY (table_id, dataset, method, variant, class, metric)
) STRICT, WITHOUT ROWID;

-- Figures of finished runs at the reported epoch, one row each; category '' is the mean.
CREATE VIEW reported_metric AS
SELECT r.id AS run, r.key AS cell, r.attempt, r.method, r.dataset, r.setting, r.classes, r.seed, r.protocol,
       r.epoch_rule, m.epoch, m.category, m.key AS metric, m.value, m.reason, m.metric_mode,
       m.metric_version, m.fpr_limit, m.eval_size
FROM run AS r JOIN metric AS m ON m.run = r.id AND m.epoch = r.reported_epoch
WHERE r.status = 'finished';

-- Means at the reported epoch, one row for each finished run and way of measuring.
CREATE VIEW leaderboard AS
SELECT run, cell, attempt, method, dataset, setting, classes, seed, protocol, epoch_rule, epoch,
       metric_mode, metric_version, fpr_limit, eval_size,
       max(value) FILTER (WHERE metric = 'image.auroc') AS image_auroc,
       max(value) FILTER (WHERE metric = 'image.ap') AS image_ap,
       max(value) FILTER (WHERE metric = 'image.f1_max') AS image_f1_max,
       max(value) FILTER (WHERE metric = 'pixel.auroc') AS pixel_auroc,
       max(value) FILTER (WHERE metric = 'pixel.ap') AS pixel_ap,
       max(value) FILTER (WHERE metric = 'pixel.f1_max') AS pixel_f1_max,
       max(value) FILTER (WHERE metric = 'pixel.aupro') AS pixel_aupro,
       max(value) FILTER (WHERE metric = 'mad') AS mad
FROM reported_metric
WHERE category = ''
GROUP BY run, metric_mode, metric_version, fpr_limit, eval_size;

-- Training curves with what is needed to tell them apart.
CREATE VIEW curves AS
SELECT r.id AS run, r.key AS cell, r.attempt, r.method, r.dataset, r.setting, r.classes, r.seed, r.protocol,
       r.status, c.epoch, c.name, c.value
FROM run AS r JOIN curve AS c ON c.run = r.id;
