PRAGMA application_id = 1094992462;
PRAGMA user_version = 3;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
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
INSERT INTO environment VALUES(1,'9f2ddc657c925145b6a2dd0ac33737fc84264e8e10bf1097d2a8562f2ad1878e','baseline','AMD EPYC','','GNU 12.2.0','{"libtorch":"2.13.0"}','0d0e2e629125+dirty','Release -O3');
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
INSERT INTO run VALUES(1,'68d65f2f48d8a24fc1d0dac3e71ddf873ca0589c1a04038fc69b1ed393848a29',1,'null','Null',1,'sample','multi','["board","capsule","screw"]',0,'smoke',1,'{"changed_from_default":{"epochs":4,"image_size":64},"overlay":"smoke","ranks":1,"tests":[2,4],"title":"Every code path in seconds; the figures mean nothing"}','last','{"batch":8,"epochs":4,"image_size":64,"weights":"auto"}','[{"default":1,"origin":"--epochs","path":"epochs","value":4}]','{"name":"","resolved":"","source":""}','a1b43a92c433d37b64c3a66173da8dcd993f83877660cfd691e8ae3bb75fcb09','','finished','','baseline',0,'','2026-11-30T20:24:36Z','2026-11-30T20:24:37Z',1,'',1,'cpu',4,4,4,0,'');
INSERT INTO run VALUES(2,'82925b9e9a09d5a5b94fe4be7ebaac7631139cdc8c9c7b438948bc6c6b581728',1,'null','Null',1,'sample','multi','["board","capsule","screw"]',1,'smoke',1,'{"changed_from_default":{"epochs":4,"image_size":64},"overlay":"smoke","ranks":1,"tests":[2,4],"title":"Every code path in seconds; the figures mean nothing"}','last','{"batch":8,"epochs":4,"image_size":64,"weights":"auto"}','[{"default":1,"origin":"--epochs","path":"epochs","value":4}]','{"name":"","resolved":"","source":""}','a1b43a92c433d37b64c3a66173da8dcd993f83877660cfd691e8ae3bb75fcb09','','finished','','baseline',0,'','2026-11-30T20:24:37Z','2026-11-30T20:24:37Z',1,'',1,'cpu',4,4,4,0,'');
INSERT INTO run VALUES(3,'cb3f39228efb638398ef6f552af79e76fa908437365b0f9af91d513e75e0f000',1,'null','Null',1,'sample','multi','["board","capsule","screw"]',2,'smoke',1,'{"changed_from_default":{"epochs":4,"image_size":64},"overlay":"smoke","ranks":1,"tests":[2,4],"title":"Every code path in seconds; the figures mean nothing"}','last','{"batch":8,"epochs":4,"image_size":64,"weights":"auto"}','[{"default":1,"origin":"--epochs","path":"epochs","value":4}]','{"name":"","resolved":"","source":""}','a1b43a92c433d37b64c3a66173da8dcd993f83877660cfd691e8ae3bb75fcb09','','finished','','baseline',0,'','2026-11-30T20:24:37Z','2026-11-30T20:24:38Z',1,'',1,'cpu',4,4,4,0,'');
INSERT INTO run VALUES(4,'bed72d3956eb2fe48393bf8b9193b125483247afdd7453f46e0f6de9129eb257',1,'vitad','ViTAD',1,'sample','multi','["board","capsule","screw"]',0,'smoke',1,'{"changed_from_default":{"backbone":"vit","batch":2,"dim":48,"encoder_depth":12,"epochs":4,"heads":3,"image_size":64,"patch":16},"overlay":"smoke","ranks":1,"tests":[2,4],"title":"Every code path in seconds; the figures mean nothing"}','last','{"augment":"none","augment_resized":true,"augment_tests":false,"backbone":"vit","batch":2,"clip_norm":5.0,"clip_skip_norm_pre":false,"decoder_depth":0,"decoder_position_embedding":true,"dim":48,"encoder_depth":12,"epochs":4,"fuser":"linear","fuser_blocks":1,"heads":3,"image_size":64,"keep_class_token":false,"loss":"cos_flat","lr":0.0001,"neck":[],"neck_after_final_norm":false,"patch":16,"scheduler":"step","students":[],"teachers":[],"weight_decay":0.0001,"weights":"auto"}','[{"default":2,"origin":"--epochs","path":"epochs","value":4}]','{"name":"","resolved":"random","source":""}','a1b43a92c433d37b64c3a66173da8dcd993f83877660cfd691e8ae3bb75fcb09','','finished','','baseline',0,'','2026-11-30T20:24:38Z','2026-11-30T20:24:39Z',1,'',1,'cpu',4,4,4,0,'');
INSERT INTO run VALUES(5,'89edd979bf0c1a9d2648b64d5670db250dc291b73a3d96f8005d236b5ff838b1',1,'vitad','ViTAD',1,'sample','multi','["board","capsule","screw"]',1,'smoke',1,'{"changed_from_default":{"backbone":"vit","batch":2,"dim":48,"encoder_depth":12,"epochs":4,"heads":3,"image_size":64,"patch":16},"overlay":"smoke","ranks":1,"tests":[2,4],"title":"Every code path in seconds; the figures mean nothing"}','last','{"augment":"none","augment_resized":true,"augment_tests":false,"backbone":"vit","batch":2,"clip_norm":5.0,"clip_skip_norm_pre":false,"decoder_depth":0,"decoder_position_embedding":true,"dim":48,"encoder_depth":12,"epochs":4,"fuser":"linear","fuser_blocks":1,"heads":3,"image_size":64,"keep_class_token":false,"loss":"cos_flat","lr":0.0001,"neck":[],"neck_after_final_norm":false,"patch":16,"scheduler":"step","students":[],"teachers":[],"weight_decay":0.0001,"weights":"auto"}','[{"default":2,"origin":"--epochs","path":"epochs","value":4}]','{"name":"","resolved":"random","source":""}','a1b43a92c433d37b64c3a66173da8dcd993f83877660cfd691e8ae3bb75fcb09','','finished','','baseline',0,'','2026-11-30T20:24:40Z','2026-11-30T20:24:41Z',1,'',1,'cpu',4,4,4,0,'');
INSERT INTO run VALUES(6,'06f649ac734528e069174c74275b78123d5e573ed4944161e5f013ec00aa0783',1,'vitad','ViTAD',1,'sample','multi','["board","capsule","screw"]',2,'smoke',1,'{"changed_from_default":{"backbone":"vit","batch":2,"dim":48,"encoder_depth":12,"epochs":4,"heads":3,"image_size":64,"patch":16},"overlay":"smoke","ranks":1,"tests":[2,4],"title":"Every code path in seconds; the figures mean nothing"}','last','{"augment":"none","augment_resized":true,"augment_tests":false,"backbone":"vit","batch":2,"clip_norm":5.0,"clip_skip_norm_pre":false,"decoder_depth":0,"decoder_position_embedding":true,"dim":48,"encoder_depth":12,"epochs":4,"fuser":"linear","fuser_blocks":1,"heads":3,"image_size":64,"keep_class_token":false,"loss":"cos_flat","lr":0.0001,"neck":[],"neck_after_final_norm":false,"patch":16,"scheduler":"step","students":[],"teachers":[],"weight_decay":0.0001,"weights":"auto"}','[{"default":2,"origin":"--epochs","path":"epochs","value":4}]','{"name":"","resolved":"random","source":""}','a1b43a92c433d37b64c3a66173da8dcd993f83877660cfd691e8ae3bb75fcb09','','finished','','baseline',0,'','2026-11-30T20:24:41Z','2026-11-30T20:24:43Z',1,'',1,'cpu',4,4,4,0,'');
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
INSERT INTO metric VALUES(1,4,'','image.ap',0.59999999999999997779,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'','image.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'','mad',0.35860087824930181321,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'','pixel.ap',0.0034098307291666666955,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'','pixel.aupro',0.14999999999999999444,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'','pixel.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'','pixel.f1_max',0.0067963170159457859942,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'board','image.ap',0.59999999999999997779,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'board','image.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'board','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'board','mad',0.35857312569752769482,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'board','pixel.ap',0.0033447265625000002602,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'board','pixel.aupro',0.14999999999999999444,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'board','pixel.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'board','pixel.f1_max',0.0066671533201936878515,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'capsule','image.ap',0.59999999999999997779,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'capsule','image.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'capsule','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'capsule','mad',0.35876577772419776524,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'capsule','pixel.ap',0.0037963867187500001734,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'capsule','pixel.aupro',0.14999999999999999444,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'capsule','pixel.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'capsule','pixel.f1_max',0.0075640573506341891169,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'screw','image.ap',0.59999999999999997779,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'screw','image.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'screw','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'screw','mad',0.35846373132617992407,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'screw','pixel.ap',0.003088378906249999653,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'screw','pixel.aupro',0.14999999999999999444,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'screw','pixel.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(1,4,'screw','pixel.f1_max',0.0061577403770094801468,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'','image.ap',0.59999999999999997779,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'','image.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'','mad',0.35860087824930181321,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'','pixel.ap',0.0034098307291666666955,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'','pixel.aupro',0.14999999999999999444,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'','pixel.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'','pixel.f1_max',0.0067963170159457859942,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'board','image.ap',0.59999999999999997779,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'board','image.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'board','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'board','mad',0.35857312569752769482,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'board','pixel.ap',0.0033447265625000002602,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'board','pixel.aupro',0.14999999999999999444,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'board','pixel.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'board','pixel.f1_max',0.0066671533201936878515,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'capsule','image.ap',0.59999999999999997779,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'capsule','image.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'capsule','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'capsule','mad',0.35876577772419776524,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'capsule','pixel.ap',0.0037963867187500001734,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'capsule','pixel.aupro',0.14999999999999999444,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'capsule','pixel.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'capsule','pixel.f1_max',0.0075640573506341891169,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'screw','image.ap',0.59999999999999997779,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'screw','image.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'screw','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'screw','mad',0.35846373132617992407,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'screw','pixel.ap',0.003088378906249999653,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'screw','pixel.aupro',0.14999999999999999444,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'screw','pixel.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(2,4,'screw','pixel.f1_max',0.0061577403770094801468,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'','image.ap',0.59999999999999997779,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'','image.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'','mad',0.35860087824930181321,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'','pixel.ap',0.0034098307291666666955,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'','pixel.aupro',0.14999999999999999444,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'','pixel.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'','pixel.f1_max',0.0067963170159457859942,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'board','image.ap',0.59999999999999997779,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'board','image.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'board','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'board','mad',0.35857312569752769482,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'board','pixel.ap',0.0033447265625000002602,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'board','pixel.aupro',0.14999999999999999444,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'board','pixel.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'board','pixel.f1_max',0.0066671533201936878515,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'capsule','image.ap',0.59999999999999997779,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'capsule','image.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'capsule','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'capsule','mad',0.35876577772419776524,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'capsule','pixel.ap',0.0037963867187500001734,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'capsule','pixel.aupro',0.14999999999999999444,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'capsule','pixel.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'capsule','pixel.f1_max',0.0075640573506341891169,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'screw','image.ap',0.59999999999999997779,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'screw','image.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'screw','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'screw','mad',0.35846373132617992407,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'screw','pixel.ap',0.003088378906249999653,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'screw','pixel.aupro',0.14999999999999999444,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'screw','pixel.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(3,4,'screw','pixel.f1_max',0.0061577403770094801468,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'','image.ap',0.67678197144463914103,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'','image.auroc',0.56944444444444453079,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'','image.f1_max',0.78205128205128204843,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'','mad',0.4845816977182358376,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'','pixel.ap',0.01731600125200414425,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'','pixel.aupro',0.54422192945338176972,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'','pixel.auroc',0.74869468698310781551,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'','pixel.f1_max',0.053561568398791919998,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'board','image.ap',0.71494107744107748825,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'board','image.auroc',0.71875,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'board','image.f1_max',0.8461538461538461453,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'board','mad',0.45984320580936144384,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'board','pixel.ap',0.0059808494380253649988,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'board','pixel.aupro',0.33342544162207549129,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'board','pixel.auroc',0.57689860499779088698,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'board','pixel.f1_max',0.02275262101271470147,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'capsule','image.ap',0.72772030600977977154,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'capsule','image.auroc',0.52083333333333337034,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'capsule','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'capsule','mad',0.53637623611270945911,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'capsule','pixel.ap',0.037194419438828188462,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'capsule','pixel.aupro',0.7369997654449388369,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'capsule','pixel.auroc',0.86702096369722159163,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'capsule','pixel.f1_max',0.11486486486486487124,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'screw','image.ap',0.58768453088306016329,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'screw','image.auroc',0.46875,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'screw','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'screw','mad',0.45752565123263672086,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'screw','pixel.ap',0.0087727348791588801585,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'screw','pixel.aupro',0.56224058129313081444,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'screw','pixel.auroc',0.8021644922543108569,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(4,4,'screw','pixel.f1_max',0.023067219318796180344,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'','image.ap',0.70325467207562153415,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'','image.auroc',0.57291666666666662965,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'','image.f1_max',0.77160493827160492319,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'','mad',0.48305710532017631653,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'','pixel.ap',0.01496849204278546952,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'','pixel.aupro',0.47915047843849928321,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'','pixel.auroc',0.76822166085269039115,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'','pixel.f1_max',0.071282828893366581568,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'board','image.ap',0.78858867740446692007,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'board','image.auroc',0.6875,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'board','image.f1_max',0.81481481481481476958,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'board','mad',0.47639829392193827617,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'board','pixel.ap',0.014823935478328375062,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'board','pixel.aupro',0.27050289070146626979,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'board','pixel.auroc',0.6403617826003696889,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'board','pixel.f1_max',0.11819595645412130091,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'capsule','image.ap',0.69285227980080910104,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'capsule','image.auroc',0.53125,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'capsule','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'capsule','mad',0.51721379378334064735,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'capsule','pixel.ap',0.021211422891565898107,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'capsule','pixel.aupro',0.68451651314877415277,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'capsule','pixel.auroc',0.87103163744588885109,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'capsule','pixel.f1_max',0.069634703196347028097,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'screw','image.ap',0.6283230590215883593,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'screw','image.auroc',0.5,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'screw','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'screw','mad',0.4555592282552502481,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'screw','pixel.ap',0.0088701177584621388599,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'screw','pixel.aupro',0.4824320314652575381,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'screw','pixel.auroc',0.7932715625118123004,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(5,4,'screw','pixel.f1_max',0.026017827029631415691,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'','image.ap',0.65014321441372524557,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'','image.auroc',0.5243055555555554692,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'','mad',0.44261390109899295675,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'','pixel.ap',0.0073200962516330042584,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'','pixel.aupro',0.43124891038939017207,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'','pixel.auroc',0.71571392939721256709,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'','pixel.f1_max',0.019565601685434447221,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'board','image.ap',0.76063808196161131203,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'board','image.auroc',0.61458333333333337034,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'board','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'board','mad',0.42879049019869458492,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'board','pixel.ap',0.0042617167487538631931,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'board','pixel.aupro',0.24787709371432978255,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'board','pixel.auroc',0.61347872451321361353,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'board','pixel.f1_max',0.010694481119619752076,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'capsule','image.ap',0.57280496600349539715,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'capsule','image.auroc',0.44791666666666668517,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'capsule','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'capsule','mad',0.47374088624743498909,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'capsule','pixel.ap',0.011571633995290740021,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'capsule','pixel.aupro',0.67650470321506761539,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'capsule','pixel.auroc',0.82667697619726154822,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'capsule','pixel.f1_max',0.030711257654262837102,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'screw','image.ap',0.61698659527606880548,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'screw','image.auroc',0.51041666666666662965,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'screw','image.f1_max',0.75,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'screw','mad',0.42531032685084946276,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'screw','pixel.ap',0.0061269380108544104282,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'screw','pixel.aupro',0.36936493423877303499,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'screw','pixel.auroc',0.70698608748116265054,NULL,1,'exact',0.29999999999999998889,'64');
INSERT INTO metric VALUES(6,4,'screw','pixel.f1_max',0.017291066282420750749,NULL,1,'exact',0.29999999999999998889,'64');
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
INSERT INTO image_score VALUES(1,4,'board','board/test/good/000.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/good/001.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/good/002.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/good/003.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/good/004.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/good/005.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/good/006.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/good/007.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/missing_part/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/missing_part/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/missing_part/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/open_track/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/open_track/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/open_track/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/shifted_part/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/shifted_part/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/shifted_part/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/solder_bridge/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/solder_bridge/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'board','board/test/solder_bridge/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/crack/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/crack/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/crack/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/good/000.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/good/001.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/good/002.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/good/003.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/good/004.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/good/005.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/good/006.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/good/007.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/misprint/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/misprint/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/misprint/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/speck/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/speck/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/speck/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/squeeze/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/squeeze/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'capsule','capsule/test/squeeze/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/bent_tip/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/bent_tip/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/bent_tip/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/good/000.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/good/001.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/good/002.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/good/003.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/good/004.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/good/005.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/good/006.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/good/007.png',0,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/rust/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/rust/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/rust/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/scratched_neck/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/scratched_neck/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/scratched_neck/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/thread_flat/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/thread_flat/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(1,4,'screw','screw/test/thread_flat/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/good/000.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/good/001.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/good/002.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/good/003.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/good/004.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/good/005.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/good/006.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/good/007.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/missing_part/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/missing_part/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/missing_part/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/open_track/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/open_track/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/open_track/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/shifted_part/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/shifted_part/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/shifted_part/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/solder_bridge/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/solder_bridge/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'board','board/test/solder_bridge/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/crack/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/crack/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/crack/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/good/000.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/good/001.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/good/002.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/good/003.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/good/004.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/good/005.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/good/006.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/good/007.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/misprint/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/misprint/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/misprint/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/speck/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/speck/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/speck/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/squeeze/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/squeeze/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'capsule','capsule/test/squeeze/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/bent_tip/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/bent_tip/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/bent_tip/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/good/000.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/good/001.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/good/002.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/good/003.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/good/004.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/good/005.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/good/006.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/good/007.png',0,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/rust/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/rust/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/rust/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/scratched_neck/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/scratched_neck/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/scratched_neck/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/thread_flat/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/thread_flat/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(2,4,'screw','screw/test/thread_flat/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/good/000.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/good/001.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/good/002.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/good/003.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/good/004.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/good/005.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/good/006.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/good/007.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/missing_part/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/missing_part/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/missing_part/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/open_track/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/open_track/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/open_track/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/shifted_part/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/shifted_part/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/shifted_part/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/solder_bridge/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/solder_bridge/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'board','board/test/solder_bridge/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/crack/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/crack/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/crack/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/good/000.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/good/001.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/good/002.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/good/003.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/good/004.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/good/005.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/good/006.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/good/007.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/misprint/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/misprint/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/misprint/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/speck/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/speck/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/speck/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/squeeze/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/squeeze/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'capsule','capsule/test/squeeze/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/bent_tip/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/bent_tip/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/bent_tip/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/good/000.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/good/001.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/good/002.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/good/003.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/good/004.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/good/005.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/good/006.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/good/007.png',0,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/rust/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/rust/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/rust/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/scratched_neck/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/scratched_neck/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/scratched_neck/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/thread_flat/000.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/thread_flat/001.png',1,0.0,0.0);
INSERT INTO image_score VALUES(3,4,'screw','screw/test/thread_flat/002.png',1,0.0,0.0);
INSERT INTO image_score VALUES(4,4,'board','board/test/good/000.png',0,0.15880030393600463867,0.16765180230140686035);
INSERT INTO image_score VALUES(4,4,'board','board/test/good/001.png',0,0.15320178866386413574,0.1586363762617111206);
INSERT INTO image_score VALUES(4,4,'board','board/test/good/002.png',0,0.15533177554607391357,0.16338703036308288574);
INSERT INTO image_score VALUES(4,4,'board','board/test/good/003.png',0,0.14129395782947540283,0.1495593041181564331);
INSERT INTO image_score VALUES(4,4,'board','board/test/good/004.png',0,0.17134740948677062988,0.18196354806423187255);
INSERT INTO image_score VALUES(4,4,'board','board/test/good/005.png',0,0.18553076684474945068,0.2059382796287536621);
INSERT INTO image_score VALUES(4,4,'board','board/test/good/006.png',0,0.14923563599586486816,0.16716566681861877441);
INSERT INTO image_score VALUES(4,4,'board','board/test/good/007.png',0,0.15465794503688812255,0.16070835292339324951);
INSERT INTO image_score VALUES(4,4,'board','board/test/missing_part/000.png',1,0.1512498408555984497,0.15804667770862579345);
INSERT INTO image_score VALUES(4,4,'board','board/test/missing_part/001.png',1,0.16309015452861785888,0.17221559584140777587);
INSERT INTO image_score VALUES(4,4,'board','board/test/missing_part/002.png',1,0.17871895432472229003,0.18885432183742523193);
INSERT INTO image_score VALUES(4,4,'board','board/test/open_track/000.png',1,0.15536981821060180664,0.1617917865514755249);
INSERT INTO image_score VALUES(4,4,'board','board/test/open_track/001.png',1,0.16904194653034210205,0.1792090684175491333);
INSERT INTO image_score VALUES(4,4,'board','board/test/open_track/002.png',1,0.16965155303478240966,0.17951416969299316406);
INSERT INTO image_score VALUES(4,4,'board','board/test/shifted_part/000.png',1,0.16783465445041656494,0.17664533853530883789);
INSERT INTO image_score VALUES(4,4,'board','board/test/shifted_part/001.png',1,0.16231714189052581787,0.17216095328330993652);
INSERT INTO image_score VALUES(4,4,'board','board/test/shifted_part/002.png',1,0.16209010779857635498,0.17155568301677703857);
INSERT INTO image_score VALUES(4,4,'board','board/test/solder_bridge/000.png',1,0.16324375569820404052,0.17319175601005554199);
INSERT INTO image_score VALUES(4,4,'board','board/test/solder_bridge/001.png',1,0.1732644885778427124,0.18333576619625091552);
INSERT INTO image_score VALUES(4,4,'board','board/test/solder_bridge/002.png',1,0.16313627362251281738,0.17153212428092956542);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/crack/000.png',1,0.24293272197246551513,0.25815343856811523437);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/crack/001.png',1,0.2448835223913192749,0.25740212202072143554);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/crack/002.png',1,0.23271059989929199218,0.24780195951461791992);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/good/000.png',0,0.25914326310157775878,0.28114730119705200195);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/good/001.png',0,0.2380549013614654541,0.25059247016906738281);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/good/002.png',0,0.23768466711044311523,0.24825721979141235351);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/good/003.png',0,0.24218435585498809814,0.25960952043533325195);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/good/004.png',0,0.25917574763298034667,0.27598005533218383789);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/good/005.png',0,0.25081446766853332519,0.26394358277320861816);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/good/006.png',0,0.25667518377304077148,0.27379959821701049804);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/good/007.png',0,0.25052526593208312988,0.26336565613746643066);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/misprint/000.png',1,0.2741107344627380371,0.29000958800315856933);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/misprint/001.png',1,0.24954459071159362792,0.25904530286788940429);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/misprint/002.png',1,0.23290254175662994384,0.24208942055702209472);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/speck/000.png',1,0.27348700165748596191,0.29030752182006835937);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/speck/001.png',1,0.2468124479055404663,0.25828301906585693359);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/speck/002.png',1,0.27206107974052429199,0.29019337892532348632);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/squeeze/000.png',1,0.24797330796718597412,0.26037409901618957519);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/squeeze/001.png',1,0.25014564394950866699,0.26945862174034118652);
INSERT INTO image_score VALUES(4,4,'capsule','capsule/test/squeeze/002.png',1,0.27063718438148498535,0.28867179155349731445);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/bent_tip/000.png',1,0.12587167322635650634,0.12951460480690002441);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/bent_tip/001.png',1,0.1103040054440498352,0.11857564002275466918);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/bent_tip/002.png',1,0.13869082927703857421,0.14914283156394958496);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/good/000.png',0,0.1152617037296295166,0.12280929088592529296);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/good/001.png',0,0.12221947312355041503,0.13359811902046203613);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/good/002.png',0,0.161851540207862854,0.18430174887180328369);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/good/003.png',0,0.12181834131479263305,0.13086198270320892333);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/good/004.png',0,0.11939413845539093017,0.13005161285400390625);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/good/005.png',0,0.14787028729915618896,0.16499674320220947265);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/good/006.png',0,0.14735370874404907226,0.1617103666067123413);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/good/007.png',0,0.12170781940221786499,0.12652571499347686767);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/rust/000.png',1,0.15118858218193054199,0.16931164264678955078);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/rust/001.png',1,0.1171534508466720581,0.12253356724977493286);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/rust/002.png',1,0.12286227941513061523,0.13543115556240081787);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/scratched_neck/000.png',1,0.13783001899719238281,0.14793929457664489746);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/scratched_neck/001.png',1,0.11873681098222732543,0.13226854801177978515);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/scratched_neck/002.png',1,0.14311680197715759277,0.160913124680519104);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/thread_flat/000.png',1,0.13234755396842956542,0.13924400508403778076);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/thread_flat/001.png',1,0.12942548096179962158,0.13997027277946472167);
INSERT INTO image_score VALUES(4,4,'screw','screw/test/thread_flat/002.png',1,0.11752700060606002807,0.12609165906906127929);
INSERT INTO image_score VALUES(5,4,'board','board/test/good/000.png',0,0.11246611922979354858,0.12303207069635391235);
INSERT INTO image_score VALUES(5,4,'board','board/test/good/001.png',0,0.11754754185676574707,0.12325441092252731323);
INSERT INTO image_score VALUES(5,4,'board','board/test/good/002.png',0,0.12411241978406906127,0.13104687631130218505);
INSERT INTO image_score VALUES(5,4,'board','board/test/good/003.png',0,0.11373483389616012573,0.12867274880409240722);
INSERT INTO image_score VALUES(5,4,'board','board/test/good/004.png',0,0.13768652081489562988,0.14636339247226715087);
INSERT INTO image_score VALUES(5,4,'board','board/test/good/005.png',0,0.13451564311981201171,0.15907052159309387207);
INSERT INTO image_score VALUES(5,4,'board','board/test/good/006.png',0,0.12786066532135009765,0.13594827055931091308);
INSERT INTO image_score VALUES(5,4,'board','board/test/good/007.png',0,0.10644970089197158813,0.11507679522037506103);
INSERT INTO image_score VALUES(5,4,'board','board/test/missing_part/000.png',1,0.1222088634967803955,0.12749020755290985107);
INSERT INTO image_score VALUES(5,4,'board','board/test/missing_part/001.png',1,0.14251434803009033203,0.14884221553802490234);
INSERT INTO image_score VALUES(5,4,'board','board/test/missing_part/002.png',1,0.12776334583759307861,0.13454282283782958984);
INSERT INTO image_score VALUES(5,4,'board','board/test/open_track/000.png',1,0.12754338979721069335,0.13454279303550720214);
INSERT INTO image_score VALUES(5,4,'board','board/test/open_track/001.png',1,0.1193033754825592041,0.12413021177053451538);
INSERT INTO image_score VALUES(5,4,'board','board/test/open_track/002.png',1,0.14399905502796173095,0.15377612411975860595);
INSERT INTO image_score VALUES(5,4,'board','board/test/shifted_part/000.png',1,0.14041215181350708007,0.14928899705410003662);
INSERT INTO image_score VALUES(5,4,'board','board/test/shifted_part/001.png',1,0.13135464489459991455,0.14108213782310485839);
INSERT INTO image_score VALUES(5,4,'board','board/test/shifted_part/002.png',1,0.11843990534543991088,0.12190616875886917114);
INSERT INTO image_score VALUES(5,4,'board','board/test/solder_bridge/000.png',1,0.11142672598361968994,0.11720666289329528808);
INSERT INTO image_score VALUES(5,4,'board','board/test/solder_bridge/001.png',1,0.13104465603828430175,0.13708956539630889892);
INSERT INTO image_score VALUES(5,4,'board','board/test/solder_bridge/002.png',1,0.13622508943080902099,0.1410388946533203125);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/crack/000.png',1,0.21530637145042419433,0.23938219249248504638);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/crack/001.png',1,0.22093164920806884765,0.2424191981554031372);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/crack/002.png',1,0.20417632162570953369,0.22654189169406890869);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/good/000.png',0,0.24005363881587982177,0.27013096213340759277);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/good/001.png',0,0.20681656897068023681,0.22805394232273101806);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/good/002.png',0,0.20773461461067199707,0.22905337810516357421);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/good/003.png',0,0.21082119643688201904,0.23491559922695159912);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/good/004.png',0,0.21375855803489685058,0.23826159536838531494);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/good/005.png',0,0.21697513759136199951,0.23510046303272247314);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/good/006.png',0,0.22019886970520019531,0.24610047042369842529);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/good/007.png',0,0.19814236462116241455,0.21536463499069213867);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/misprint/000.png',1,0.22930397093296051025,0.2543353438377380371);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/misprint/001.png',1,0.20026695728302001953,0.21807028353214263916);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/misprint/002.png',1,0.19807800650596618652,0.21612298488616943359);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/speck/000.png',1,0.20608407258987426757,0.22083036601543426513);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/speck/001.png',1,0.20749846100807189941,0.22755642235279083251);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/speck/002.png',1,0.24175035953521728515,0.25857877731323242187);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/squeeze/000.png',1,0.21853786706924438476,0.23598933219909667968);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/squeeze/001.png',1,0.21865215897560119628,0.23874698579311370849);
INSERT INTO image_score VALUES(5,4,'capsule','capsule/test/squeeze/002.png',1,0.23957169055938720703,0.25454846024513244628);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/bent_tip/000.png',1,0.091331951320171356201,0.095452412962913513183);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/bent_tip/001.png',1,0.1044934391975402832,0.1142025962471961975);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/bent_tip/002.png',1,0.084195367991924285888,0.087797969579696655273);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/good/000.png',0,0.075670100748538970947,0.078476540744304656982);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/good/001.png',0,0.089656218886375427246,0.094801343977451324462);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/good/002.png',0,0.13789980113506317138,0.1582158207893371582);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/good/003.png',0,0.10263940691947937011,0.11300458759069442749);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/good/004.png',0,0.095090687274932861328,0.10054881125688552856);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/good/005.png',0,0.10391481220722198486,0.117325611412525177);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/good/006.png',0,0.089565187692642211914,0.094223849475383758544);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/good/007.png',0,0.084289088845252990722,0.087280675768852233886);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/rust/000.png',1,0.092643320560455322265,0.10047361254692077636);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/rust/001.png',1,0.1034518405795097351,0.11295225471258163452);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/rust/002.png',1,0.10957030951976776123,0.1231965571641921997);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/scratched_neck/000.png',1,0.10877934843301773071,0.12003857642412185668);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/scratched_neck/001.png',1,0.097913913428783416748,0.10764104127883911132);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/scratched_neck/002.png',1,0.09866383671760559082,0.1100261881947517395);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/thread_flat/000.png',1,0.084186926484107971191,0.089660204946994781494);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/thread_flat/001.png',1,0.083266615867614746093,0.086684882640838623046);
INSERT INTO image_score VALUES(5,4,'screw','screw/test/thread_flat/002.png',1,0.074402645230293273925,0.076989553868770599365);
INSERT INTO image_score VALUES(6,4,'board','board/test/good/000.png',0,0.12428192794322967529,0.13076999783515930175);
INSERT INTO image_score VALUES(6,4,'board','board/test/good/001.png',0,0.12911193072795867919,0.13318264484405517578);
INSERT INTO image_score VALUES(6,4,'board','board/test/good/002.png',0,0.1270373314619064331,0.13299438357353210449);
INSERT INTO image_score VALUES(6,4,'board','board/test/good/003.png',0,0.12667748332023620605,0.12868709862232208251);
INSERT INTO image_score VALUES(6,4,'board','board/test/good/004.png',0,0.14060904085636138916,0.15331165492534637451);
INSERT INTO image_score VALUES(6,4,'board','board/test/good/005.png',0,0.13063119351863861083,0.13971480727195739746);
INSERT INTO image_score VALUES(6,4,'board','board/test/good/006.png',0,0.14229218661785125732,0.15058219432830810546);
INSERT INTO image_score VALUES(6,4,'board','board/test/good/007.png',0,0.11941152811050415039,0.12357428669929504394);
INSERT INTO image_score VALUES(6,4,'board','board/test/missing_part/000.png',1,0.11831765621900558471,0.1218021586537361145);
INSERT INTO image_score VALUES(6,4,'board','board/test/missing_part/001.png',1,0.12953083217144012451,0.13585846126079559326);
INSERT INTO image_score VALUES(6,4,'board','board/test/missing_part/002.png',1,0.13352471590042114257,0.13848996162414550781);
INSERT INTO image_score VALUES(6,4,'board','board/test/open_track/000.png',1,0.13429294526576995849,0.14414030313491821289);
INSERT INTO image_score VALUES(6,4,'board','board/test/open_track/001.png',1,0.13398501276969909667,0.13934400677680969238);
INSERT INTO image_score VALUES(6,4,'board','board/test/open_track/002.png',1,0.14555647969245910644,0.16315573453903198242);
INSERT INTO image_score VALUES(6,4,'board','board/test/shifted_part/000.png',1,0.14772257208824157714,0.15748798847198486328);
INSERT INTO image_score VALUES(6,4,'board','board/test/shifted_part/001.png',1,0.12409450858831405639,0.12742222845554351806);
INSERT INTO image_score VALUES(6,4,'board','board/test/shifted_part/002.png',1,0.12757195532321929931,0.14027649164199829101);
INSERT INTO image_score VALUES(6,4,'board','board/test/solder_bridge/000.png',1,0.12229904532432556152,0.12719605863094329833);
INSERT INTO image_score VALUES(6,4,'board','board/test/solder_bridge/001.png',1,0.13649185001850128173,0.14125616848468780517);
INSERT INTO image_score VALUES(6,4,'board','board/test/solder_bridge/002.png',1,0.14515961706638336181,0.15861028432846069335);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/crack/000.png',1,0.24224831163883209228,0.25943920016288757324);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/crack/001.png',1,0.23063684999942779541,0.24510484933853149414);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/crack/002.png',1,0.22345794737339019775,0.23750509321689605712);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/good/000.png',0,0.24537669122219085693,0.2583986818790435791);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/good/001.png',0,0.22833047807216644287,0.2442693263292312622);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/good/002.png',0,0.26372292637825012207,0.2882397770881652832);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/good/003.png',0,0.22828629612922668457,0.24129596352577209472);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/good/004.png',0,0.23667505383491516113,0.25014713406562805175);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/good/005.png',0,0.21759001910686492919,0.22856749594211578369);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/good/006.png',0,0.23437778651714324951,0.250171661376953125);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/good/007.png',0,0.25770336389541625976,0.27858087420463562011);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/misprint/000.png',1,0.21900412440299987792,0.23126035928726196289);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/misprint/001.png',1,0.24264343082904815673,0.26056200265884399414);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/misprint/002.png',1,0.24567495286464691162,0.26552394032478332519);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/speck/000.png',1,0.25183957815170288085,0.27352407574653625488);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/speck/001.png',1,0.24109338223934173583,0.25857150554656982421);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/speck/002.png',1,0.24040158092975616455,0.26090118288993835449);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/squeeze/000.png',1,0.2281681448221206665,0.24369560182094573974);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/squeeze/001.png',1,0.20657584071159362792,0.21552862226963043212);
INSERT INTO image_score VALUES(6,4,'capsule','capsule/test/squeeze/002.png',1,0.24162019789218902587,0.26251116394996643066);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/bent_tip/000.png',1,0.11344445496797561645,0.11955861002206802368);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/bent_tip/001.png',1,0.10453442484140396118,0.1117690354585647583);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/bent_tip/002.png',1,0.090953707695007324218,0.092054881155490875244);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/good/000.png',0,0.10750886052846908569,0.11285531520843505859);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/good/001.png',0,0.11068493127822875976,0.11525925248861312866);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/good/002.png',0,0.17112144827842712402,0.19498880207538604736);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/good/003.png',0,0.095428295433521270751,0.099476590752601623535);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/good/004.png',0,0.10801638662815093994,0.11735420674085617065);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/good/005.png',0,0.16069316864013671875,0.18283902108669281005);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/good/006.png',0,0.1063995361328125,0.11078413575887680053);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/good/007.png',0,0.1043092086911201477,0.11079697310924530029);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/rust/000.png',1,0.13813364505767822265,0.15126867592334747314);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/rust/001.png',1,0.11862435191869735717,0.12676118314266204833);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/rust/002.png',1,0.13798511028289794921,0.1541598290205001831);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/scratched_neck/000.png',1,0.13117066025733947753,0.14212013781070709228);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/scratched_neck/001.png',1,0.11120322346687316894,0.1203849688172340393);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/scratched_neck/002.png',1,0.15271331369876861572,0.17174087464809417724);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/thread_flat/000.png',1,0.091107517480850219726,0.092590093612670898437);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/thread_flat/001.png',1,0.10871073603630065917,0.11237347126007080078);
INSERT INTO image_score VALUES(6,4,'screw','screw/test/thread_flat/002.png',1,0.090432994067668914794,0.092592157423496246337);
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
CREATE TABLE baseline (
  name TEXT NOT NULL,
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE RESTRICT,
  created_at TEXT NOT NULL,
  PRIMARY KEY (name, run)
) STRICT, WITHOUT ROWID;
INSERT INTO baseline VALUES('main',1,'2026-11-30T20:24:43Z');
INSERT INTO baseline VALUES('main',2,'2026-11-30T20:24:43Z');
INSERT INTO baseline VALUES('main',3,'2026-11-30T20:24:43Z');
INSERT INTO baseline VALUES('main',4,'2026-11-30T20:24:43Z');
INSERT INTO baseline VALUES('main',5,'2026-11-30T20:24:43Z');
INSERT INTO baseline VALUES('main',6,'2026-11-30T20:24:43Z');
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
CREATE INDEX run_by_selection ON run (dataset, method, status);
CREATE VIEW reported_metric AS
SELECT r.id AS run, r.key AS cell, r.attempt, r.method, r.dataset, r.setting, r.classes, r.seed, r.protocol,
       r.epoch_rule, m.epoch, m.category, m.key AS metric, m.value, m.reason, m.metric_mode,
       m.metric_version, m.fpr_limit, m.eval_size
FROM run AS r JOIN metric AS m ON m.run = r.id AND m.epoch = r.reported_epoch
WHERE r.status = 'finished';
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
CREATE VIEW curves AS
SELECT r.id AS run, r.key AS cell, r.attempt, r.method, r.dataset, r.setting, r.classes, r.seed, r.protocol,
       r.status, c.epoch, c.name, c.value
FROM run AS r JOIN curve AS c ON c.run = r.id;
COMMIT;
