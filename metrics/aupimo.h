// Area under the per-image overlap curve.
#pragma once

#include "metrics/input.h"
#include "metrics/value.h"

namespace adb {

// AUPIMO: how much of an anomaly is found at thresholds that hardly ever flag a normal image.
//
// F(t) is the share of flagged pixels in all normal images (label 0, no mask pixel); R_i(t) that of
// flagged mask pixels in anomalous image i; flagged is score >= t. R_i as a step function of F, the
// highest recall at a rate of at most f, is averaged over log f from 1e-5 to 1e-4; the figure is
// the mean over the images with mask pixels. By pixel: one with rate F (that of flagging down to
// its score) counts log(1e-4 / max(F, 1e-5)) / log(10), at least 0.
//   Source: Bertoldo, Ameln, Vaidya, Akcay: AUPIMO, 2024 (arXiv:2401.01984). There thresholds are a
//   grid of 300,000 between the normal images' lowest and highest score, joined by straight lines.
// The same bits for any number of threads and order of images.
//   input: passed check_input; with masks
//   returns: undefined without a normal image or without mask pixels
MetricValue aupimo(const CategoryInput& input, int threads);

}  // namespace adb
