// DeSTSeg (Zhang, Li, Li, Huang, Shan and Chen, CVPR 2023): a student learns to give a frozen
// teacher's features of the clean image when it sees the image with a pasted defect; then a
// segmentation network learns the defect from where both disagree.
#pragma once

#include "methods/method.h"

namespace adb {

MethodEntry destseg_method();

namespace destseg {

// Steps of the first phase, in which the student is trained; the segmentation network has the rest.
// A fifth of the epochs, at least one; in a run of one epoch a fifth of its steps, at least one.
// Rounded down. source: card destseg, section 6
std::int64_t student_steps(const StepPlan& plan);

}  // namespace destseg
}  // namespace adb
